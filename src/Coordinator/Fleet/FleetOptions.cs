namespace LoadHarness.Coordinator.Fleet;

/// <summary>What a coordinator demands of its agents' links.</summary>
public sealed record FleetOptions
{
    /// <summary>How often agents send a heartbeat.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long an agent may go on without an answered heartbeat.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What is added to lease and drain deadline before an unheard agent counts as lost.</summary>
    public TimeSpan LossMargin { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a new call may take to send its Hello.</summary>
    public TimeSpan HelloTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How much of one agent is taken in.</summary>
    public AgentAllowance Allowance { get; init; } = new();

    /// <summary>
    /// How long a message may wait until its agent has read it. Who has read nothing for as long as its lease has had no answer to a heartbeat
    /// either, and drains: its call is of no use any more.
    /// </summary>
    public TimeSpan ReadTimeout => Lease < Allowance.ReadTimeout ? Lease : Allowance.ReadTimeout;

    /// <summary>Identifies this coordinator's store: assignments out of another one are not ours. Its host takes it from the store.</summary>
    public string StoreId { get; init; } = Guid.NewGuid().ToString("N");

    /// <summary>Counts the starts of the coordinator on its store.</summary>
    public ulong Epoch { get; init; } = 1;
}
