using LoadHarness.Agent.Engine;

namespace LoadHarness.Agent.Backend;

/// <summary>Commands to an <see cref="AcceptRole"/>.</summary>
public static class BackendCommand
{
    /// <summary>No other reactor can be started: take as many as the descriptor table lets you.</summary>
    public sealed record NoRelief : ReactorCommand;

    /// <summary>Close the listeners, then every connection.</summary>
    public sealed record Drain : ReactorCommand;
}
