using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Engine;

/// <summary>Commands to a <see cref="ConnectRole"/>.</summary>
public static class ConnectCommand
{
    /// <summary>Pursue this goal from now on, with these blocks more and without these ports in any block.</summary>
    public sealed record Pursue(
        ReactorGoal Goal, IReadOnlyList<(IpAddress Source, int FirstPort)> MoreBlocks, ImmutableArray<PortSpan> ExcludedPorts) : ReactorCommand;

    /// <summary>Open nothing new in a block whose owner wants it back, or do so again.</summary>
    public sealed record Retire(IpAddress Source, int FirstPort, bool Retiring) : ReactorCommand;

    /// <summary>An empty block belongs to somebody else from now on.</summary>
    public sealed record GiveBack(IpAddress Source, int FirstPort) : ReactorCommand;

    /// <summary>Open nothing from an address that this host has no more, or do so again.</summary>
    public sealed record SetGone(IpAddress Source, bool Gone) : ReactorCommand;

    /// <summary>Open nothing more and close everything within this time; zero closes with RST at once.</summary>
    public sealed record Drain(TimeSpan Timeout) : ReactorCommand;
}
