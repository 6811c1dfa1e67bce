namespace LoadHarness.Coordinator.Store;

/// <summary>A run as it is kept. What it was asked for and what came of it is text that the store does not look into.</summary>
/// <param name="Id">Sorts by time of creation.</param>
/// <param name="RequestId">Made by the client; empty: none. No two runs have the same.</param>
/// <param name="Spec">JSON.</param>
/// <param name="State">By name.</param>
/// <param name="Reason">Why it is in this state; may be empty.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="StartedAt">Its start instant; null before.</param>
/// <param name="EndedAt">Null while it goes on.</param>
/// <param name="Plan">JSON; null before there is one.</param>
/// <param name="Summary">JSON; null before the end.</param>
public sealed record RunRow(
    string Id,
    string RequestId,
    string Spec,
    string State,
    string Reason,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    string? Plan,
    string? Summary);

/// <summary>What one agent is told.</summary>
/// <param name="RunId">The run.</param>
/// <param name="AgentId">The agent.</param>
/// <param name="Epoch">Of the store.</param>
/// <param name="Number">Within the run.</param>
/// <param name="Assignment">As it goes over the wire.</param>
public sealed record RevisionRow(string RunId, string AgentId, ulong Epoch, ulong Number, byte[] Assignment);

/// <summary>A sample as it came.</summary>
/// <param name="RunId">The run.</param>
/// <param name="AgentId">Who measured it.</param>
/// <param name="Incarnation">In which process life.</param>
/// <param name="Sequence">Its number in that life.</param>
/// <param name="To">The end of its interval, elapsed.</param>
/// <param name="Sample">As it came over the wire.</param>
public sealed record SampleRow(string RunId, string AgentId, string Incarnation, ulong Sequence, TimeSpan To, byte[] Sample);
