using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Planning;

/// <summary>What planning knows about one agent; made from its Hello.</summary>
public sealed record AgentResources
{
    /// <summary>The agent's identity.</summary>
    public required string AgentId { get; init; }

    /// <summary>For people.</summary>
    public required string Host { get; init; }

    /// <summary>Agents with the same value share one endpoint space.</summary>
    public required string NetworkNamespace { get; init; }

    /// <summary>Processors that it may use.</summary>
    public required int Cores { get; init; }

    /// <summary>Connections that one of its reactors can hold.</summary>
    public required int ConnectionsPerReactor { get; init; }

    /// <summary>False: the descriptor limit binds for the whole agent, more reactors do not help.</summary>
    public bool PrivateDescriptorTables { get; init; } = true;

    /// <summary>Addresses of its host.</summary>
    public ImmutableArray<IpAddress> Addresses { get; init; } = [];

    /// <summary>Ports never to bind: reserved or listening in its namespace.</summary>
    public ImmutableArray<PortSpan> UnusablePorts { get; init; } = [];

    /// <summary>net.ipv4.ip_local_port_range of its namespace.</summary>
    public PortSpan EphemeralPorts { get; init; } = new(32768, 60999);
}

/// <summary>Who does what in a run. Immutable: a change of the run makes a new plan with the next revision number.</summary>
public sealed record RunPlan
{
    /// <summary>Number of this plan within the run, from 1.</summary>
    public required long Revision { get; init; }

    /// <summary>The goal of the hold.</summary>
    public required long Goal { get; init; }

    /// <summary>Destinations of all agents.</summary>
    public required ImmutableArray<Destination> Destinations { get; init; }

    /// <summary>The goal of the whole run over time; the agents' schedules sum to it at every instant within one connection an agent.</summary>
    public required Schedule Schedule { get; init; }

    /// <summary>One entry for each agent.</summary>
    public required ImmutableArray<AgentPlan> Agents { get; init; }

    /// <summary>How long a drain may take: 10 s + goal / 40,000 per s.</summary>
    public required TimeSpan DrainTimeout { get; init; }
}

/// <summary>One agent's part of a plan.</summary>
public sealed record AgentPlan
{
    /// <summary>The agent's identity.</summary>
    public required string AgentId { get; init; }

    /// <summary>Its part of the goal.</summary>
    public required long Share { get; init; }

    /// <summary>The goal of this agent over time.</summary>
    public required Schedule Schedule { get; init; }

    /// <summary>The blocks that it owns.</summary>
    public required Slice Slice { get; init; }
}

/// <summary>Addresses with ports: the cross product is meant.</summary>
public sealed record Destination(IpRange Addresses, PortSpan Ports, string Name)
{
    /// <summary>Address and port pairs.</summary>
    public long Count => Addresses.Count * Ports.Count;
}

/// <summary>The blocks that one agent owns.</summary>
/// <param name="Blocks">Cross products of consecutive sources and consecutive groups of 256 ports.</param>
/// <param name="ExcludedPorts">Ports inside the blocks that must not be bound.</param>
/// <param name="Rest">How long a tuple rests after its connection ended.</param>
public sealed record Slice(ImmutableArray<BlockRange> Blocks, ImmutableArray<PortSpan> ExcludedPorts, TimeSpan Rest)
{
    /// <summary>Blocks in all.</summary>
    public long BlockCount => Blocks.Sum(b => b.Count);
}

/// <summary>Each of the sources with each of <paramref name="PortBlocks"/> groups of 256 ports from <paramref name="FirstPort"/> on.</summary>
/// <param name="Sources">Consecutive addresses.</param>
/// <param name="FirstPort">Multiple of 256.</param>
/// <param name="PortBlocks">At least 1.</param>
public sealed record BlockRange(IpRange Sources, int FirstPort, int PortBlocks)
{
    /// <summary>Ports of one source in one block.</summary>
    public const int PortsPerBlock = 256;

    /// <summary>Blocks in all.</summary>
    public long Count => Sources.Count * PortBlocks;
}

/// <summary>A goal over elapsed time: linear between points, constant before the first and after the last.</summary>
/// <param name="Points">At least one, in order of time.</param>
/// <param name="ConnectsPerSecond">Upper bound of connects per second, for ramp and reopening alike; above 0.</param>
public sealed record Schedule(ImmutableArray<SchedulePoint> Points, double ConnectsPerSecond)
{
    /// <summary>The goal at an instant.</summary>
    /// <param name="elapsed">Since the start instant.</param>
    public long GoalAt(TimeSpan elapsed)
    {
        if (elapsed <= Points[0].Elapsed)
            return Points[0].Goal;
        for (var i = 1; i < Points.Length; i++)
        {
            var (from, to) = (Points[i - 1], Points[i]);
            if (elapsed < to.Elapsed)
            {
                var done = (Int128)(to.Goal - from.Goal) * (elapsed - from.Elapsed).Ticks;
                return from.Goal + (long)(done / (to.Elapsed - from.Elapsed).Ticks);
            }
        }

        return Points[^1].Goal;
    }
}

/// <summary>At this elapsed time the goal is this many connections.</summary>
public readonly record struct SchedulePoint(TimeSpan Elapsed, long Goal);
