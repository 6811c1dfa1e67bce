namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>How a child ended.</summary>
/// <param name="Name">As in its <see cref="ChildSpec"/>.</param>
/// <param name="Pid">Its process id.</param>
/// <param name="Code">Its exit code; 128 and the signal's number when a signal ended it.</param>
/// <param name="Asked">Whether we had asked it to go.</param>
public sealed record ChildExit(string Name, int Pid, int Code, bool Asked)
{
    /// <summary>For people: <c>exit code 3</c> or <c>signal 9 (SIGKILL)</c>. A program may end with a large code by itself, too.</summary>
    public string How => NameOf(Code - 128) is { } name ? $"signal {Code - 128} ({name})" : $"exit code {Code}";

    private static string? NameOf(int signal) => signal switch
    {
        1 => "SIGHUP",
        2 => "SIGINT",
        6 => "SIGABRT",
        7 => "SIGBUS",
        9 => "SIGKILL; out of memory?",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        _ => null,
    };
}
