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

    /// <summary>Close a part of what is held and open as many again.</summary>
    /// <param name="Fraction">Of what is held then, above 0, at most 1.</param>
    /// <param name="StartNanos">CLOCK_BOOTTIME at which it begins.</param>
    /// <param name="WithinNanos">The closes, and the connects after them, are spread evenly over this time; 0 or more.</param>
    /// <param name="ByReset">With RST, which leaves the tuple free at once; otherwise with FIN.</param>
    /// <param name="Carry">
    /// 0 to 1: what is added to the reactor's part before it is cut to a whole number; spread evenly over the reactors, so that their parts
    /// together come to the whole.
    /// </param>
    public sealed record Storm(double Fraction, long StartNanos, long WithinNanos, bool ByReset, double Carry) : ReactorCommand
    {
        /// <summary>How many of those that the reactor holds.</summary>
        public long PartOf(long held) => Math.Min(held, (long)((Fraction * held) + Carry));

        /// <summary>The carry of one of several reactors, numbered from 0.</summary>
        public static double CarryOf(int reactor, int reactors) => (reactor + 0.5) / reactors;
    }

    /// <summary>Open nothing more and close everything within this time; zero closes with RST at once.</summary>
    public sealed record Drain(TimeSpan Timeout) : ReactorCommand;
}
