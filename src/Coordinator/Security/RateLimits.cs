namespace LoadHarness.Coordinator.Security;

/// <summary>How much a coordinator takes from one side; heartbeats and samples are never limited.</summary>
public sealed record RateLimits
{
    /// <summary>Calls of the control API that one caller may make per second in the long run.</summary>
    public int CallsPerSecond { get; init; } = 100;

    /// <summary>Calls that one caller may make at once after a pause.</summary>
    public int CallBurst { get; init; } = 400;

    /// <summary>Streams (WatchRun and the like) that one caller may hold open.</summary>
    public int Streams { get; init; } = 64;

    /// <summary>Connections that one address may hold open, so that no stranger takes the room of everybody; a busy agent has two.</summary>
    public int ConnectionsPerAddress { get; init; } = 1_000;

    /// <summary>Wrong credentials that one address may try at once after a pause.</summary>
    public int FailureBurst { get; init; } = 20;

    /// <summary>How long it takes until one more may be tried.</summary>
    public TimeSpan FailurePause { get; init; } = TimeSpan.FromSeconds(2);
}
