namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Something that happened to a run and that its report must say.</summary>
/// <param name="Elapsed">When; zero before the start instant.</param>
/// <param name="Kind">A stable name; see <see cref="RunEventKinds"/>.</param>
/// <param name="AgentId">Whom it is about; empty: the run as a whole.</param>
/// <param name="Message">A whole sentence for people.</param>
public sealed record RunEvent(TimeSpan Elapsed, string Kind, string AgentId, string Message);

/// <summary>The stable names of events.</summary>
public static class RunEventKinds
{
    /// <summary>An agent or the coordinator found something that the reader should know; it is among the notes of the summary too.</summary>
    public const string Finding = "finding";

    /// <summary>An agent was lost.</summary>
    public const string AgentLost = "agent-lost";

    /// <summary>An agent that was lost is there again.</summary>
    public const string AgentReturned = "agent-returned";

    /// <summary>An agent was taken in while the run was under load.</summary>
    public const string AgentJoined = "agent-joined";

    /// <summary>Shares moved to other agents.</summary>
    public const string Rebalanced = "rebalanced";

    /// <summary>The coordinator ended and another life of it went on with the run.</summary>
    public const string CoordinatorRestarted = "coordinator-restarted";

    /// <summary>A reconnect storm was ordered.</summary>
    public const string Storm = "storm";

    /// <summary>What a reconnect storm had closed is ESTABLISHED again.</summary>
    public const string Recovered = "recovered";

    /// <summary>The store could not be written.</summary>
    public const string StoreBlocked = "store-blocked";

    /// <summary>The store could be written again.</summary>
    public const string StoreRecovered = "store-recovered";
}
