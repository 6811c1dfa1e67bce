namespace LoadHarness.Agent.Cli;

/// <summary>Exit codes of this program; those of `loadharness` that it has use for.</summary>
internal static class ExitCode
{
    public const int Passed = 0;
    public const int Internal = 1;
    public const int Usage = 2;
    public const int Refused = 6;
}
