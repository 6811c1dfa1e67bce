using LoadHarness.Agent.Assignments;

namespace LoadHarness.Agent.Link;

/// <summary>A sample with its sequence: 1, 2, 3, ... over all runs of this process.</summary>
public readonly record struct NumberedSample(ulong Sequence, AgentSample Sample);
