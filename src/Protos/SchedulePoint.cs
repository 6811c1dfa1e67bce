namespace LoadHarness.Protos;

/// <summary>At this elapsed time the goal is this many connections.</summary>
public readonly record struct SchedulePoint(TimeSpan Elapsed, long Goal);
