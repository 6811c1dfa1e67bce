namespace LoadHarness.TestKit.Processes;

/// <summary>Signals by their Linux numbers (signal(7)).</summary>
public enum Signal
{
    Hangup = 1,
    Interrupt = 2,
    Kill = 9,
    User2 = 12,
    Terminate = 15,
    Child = 17,
    Continue = 18,
    Stop = 19,
}
