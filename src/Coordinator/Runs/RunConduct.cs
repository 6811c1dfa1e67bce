using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Runs;

/// <summary>How a run is conducted at a moment: what another life of the coordinator needs to go on with it, beside what was measured.</summary>
internal sealed record RunConduct
{
    /// <summary>In force, or about to be: kept before agents are told.</summary>
    public RunPlan? Plan { get; init; }

    /// <summary>The goal that was asked for last.</summary>
    public long Asked { get; init; }

    /// <summary>The start instant on <see cref="CoordinatorClock"/>, which means something until the machine is started anew.</summary>
    public long? StartNanos { get; init; }

    /// <summary>Why the run drains; null while it does not.</summary>
    public RunEnd? End { get; init; }

    /// <summary>The drain is by RST.</summary>
    public bool Immediately { get; init; }

    /// <summary>Those that take part.</summary>
    public ImmutableArray<MemberConduct> Clients { get; init; } = [];

    /// <summary>Clients that were dropped after the start.</summary>
    public ImmutableArray<MemberConduct> Former { get; init; } = [];

    /// <summary>The accepting side.</summary>
    public ImmutableArray<MemberConduct> Backends { get; init; } = [];

    /// <summary>In order of time.</summary>
    public ImmutableArray<StageConduct> Stages { get; init; } = [];

    /// <summary>Reconnect storms, in order of time.</summary>
    public ImmutableArray<RunStorm> Storms { get; init; } = [];

    /// <summary>The newest of them is not recovered from, as far as was known.</summary>
    public bool StormPending { get; init; }

    /// <summary>What agents said of their hosts.</summary>
    public ImmutableDictionary<string, RouteReply> Replies { get; init; } = ImmutableDictionary<string, RouteReply>.Empty;

    /// <summary>Sources that were found gone, by network namespace.</summary>
    public ImmutableDictionary<string, ImmutableHashSet<IpAddress>> Gone { get; init; } =
        ImmutableDictionary<string, ImmutableHashSet<IpAddress>>.Empty;

    /// <summary>What the run adds to its hosts, by network namespace.</summary>
    public ImmutableDictionary<string, ImmutableArray<AddedSources>> Provisions { get; init; } =
        ImmutableDictionary<string, ImmutableArray<AddedSources>>.Empty;
}

/// <summary>One agent of a run.</summary>
/// <param name="Hello">As it introduced itself last.</param>
/// <param name="Plan">Its part of the plan; null for backends.</param>
/// <param name="Share">Its share now.</param>
/// <param name="LargestShare">The largest share that it was given.</param>
/// <param name="DrainedAt">When it had closed everything, elapsed; null before.</param>
/// <param name="Loss">How it was lost; null while it works.</param>
/// <param name="JoinedAt">When it came under load, elapsed; null once it has taken what it was given.</param>
internal sealed record MemberConduct(
    AgentHello Hello, AgentPlan? Plan, long Share, long LargestShare, TimeSpan? DrainedAt, MemberLoss? Loss, TimeSpan? JoinedAt);

/// <summary>One stage of a run, on <see cref="CoordinatorClock"/>.</summary>
internal sealed record StageConduct(string Name, long From, long To, long StartNanos, long? EndNanos);
