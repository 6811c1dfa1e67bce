using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;
using BlockRange = LoadHarness.Protos.BlockRange;
using Revision = LoadHarness.Protos.Revision;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>How far an agent says it has come with its newest assignment; see assignment.proto.</summary>
public sealed record AgentStatus
{
    /// <summary>The run that it works for.</summary>
    public required string RunId { get; init; }

    /// <summary>The newest revision that it has taken.</summary>
    public required Revision Revision { get; init; }

    /// <summary>The phase reached; unspecified while the first one is being worked on.</summary>
    public Phase Phase { get; init; }

    /// <summary>Why it refused the assignment; null when it did not.</summary>
    public AgentRefusal? Refused { get; init; }

    /// <summary>Connections held now.</summary>
    public long Held { get; init; }

    /// <summary>What the user should know.</summary>
    public ImmutableArray<AgentFinding> Findings { get; init; } = [];

    /// <summary>Blocks that were retiring and hold no live and no resting tuple any more.</summary>
    public ImmutableArray<BlockRange> EmptyBlocks { get; init; } = [];

    /// <summary>Sources of its slice that are gone from its host.</summary>
    public ImmutableArray<IpAddress> GoneSources { get; init; } = [];

    /// <summary>Elapsed time of the run by its clock when it said this; null when it does not know the start instant.</summary>
    public TimeSpan? Elapsed { get; init; }

    /// <summary>How far its idea of our clock may be off.</summary>
    public TimeSpan ClockUncertainty { get; init; }
}

/// <summary>An agent does not do what it was assigned.</summary>
/// <param name="Field">Path of the field, as in <c>slice.blocks[0].sources</c>.</param>
/// <param name="Rule">The rule that it breaks: <c>allow-list</c>, <c>capability</c>, <c>address</c>, ...</param>
/// <param name="Message">What, why, and what to do about it.</param>
public sealed record AgentRefusal(string Field, string Rule, string Message);
