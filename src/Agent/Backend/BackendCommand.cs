using LoadHarness.Agent.Engine;

namespace LoadHarness.Agent.Backend;

/// <summary>Commands to an <see cref="AcceptRole"/>.</summary>
public static class BackendCommand
{
    /// <summary>New connections go to these listeners of each port, numbered in the order in which they began to listen.</summary>
    public sealed record SetWindow(int First, int Count) : ReactorCommand;

    /// <summary>Close the listeners, then every connection.</summary>
    public sealed record Drain : ReactorCommand;
}
