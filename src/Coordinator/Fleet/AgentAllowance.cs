namespace LoadHarness.Coordinator.Fleet;

/// <summary>
/// How much a coordinator takes of one agent. What is beyond it is left in the agent's connection: who floods is slowed down, and nobody else.
/// </summary>
public sealed record AgentAllowance
{
    /// <summary>Messages of Attach per second in the long run. A sound agent sends a heartbeat a second and a status for each change.</summary>
    public double MessagesPerSecond { get; init; } = 100;

    /// <summary>Messages of Attach at once after a pause.</summary>
    public double MessageBurst { get; init; } = 2000;

    /// <summary>Bytes of one message; a longer one counts as several.</summary>
    public int MessageBytes { get; init; } = 10_000;

    /// <summary>Samples per second in the long run. A sound agent sends one.</summary>
    public double SamplesPerSecond { get; init; } = 20;

    /// <summary>Samples at once: what an agent has kept while it could not send them, and some more.</summary>
    public double SampleBurst { get; init; } = 2000;

    /// <summary>Bytes of one sample; a longer one counts as several. One that names every endpoint of a large space has some megabytes.</summary>
    public int SampleBytes { get; init; } = 100_000;

    /// <summary>Bytes of samples that may wait to be stored; a single one may be larger.</summary>
    public long UnstoredBytes { get; init; } = 8 << 20;

    /// <summary>Attachments at once, and per second after that.</summary>
    public double AttachBurst { get; init; } = 20;

    /// <inheritdoc cref="AttachBurst"/>
    public double AttachesPerSecond { get; init; } = 1;

    /// <summary>The longest that a message may wait until the agent has read it, whatever its lease.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
