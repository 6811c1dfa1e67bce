namespace LoadHarness.Agent.Cli;

/// <summary>Exit codes of this program; those of `loadharness` that it has use for.</summary>
internal static class ExitCode
{
    public const int Passed = 0;
    public const int Internal = 1;
    public const int Usage = 2;

    /// <summary>`check`: the need can be met, but there are warnings.</summary>
    public const int Warned = 3;

    /// <summary>`check`: the host does not meet the need.</summary>
    public const int Unmet = 4;
    public const int Refused = 6;
}
