namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>How many agents a local run starts when its user does not say.</summary>
public static class LocalAgentCount
{
    /// <summary>Below this goal one agent is plenty.</summary>
    public const long SmallGoal = 1000;

    /// <summary>An agent that holds more than this gets company while there are cores left.</summary>
    public const long ComfortablePerAgent = 500_000;

    /// <summary>Descriptors of an agent process that are no connections: libraries, link, epoll sets.</summary>
    public const int OwnDescriptors = 200;

    /// <summary>The number of agents.</summary>
    /// <param name="goal">Connections of the whole run.</param>
    /// <param name="cores">Processors that this machine has for us.</param>
    /// <param name="descriptorLimit">RLIMIT_NOFILE, hard: an agent raises its own to that.</param>
    /// <param name="privateDescriptorTables">Whether each reactor can have its own table: then the limit binds no agent.</param>
    /// <returns>At least 1.</returns>
    public static int For(long goal, int cores, long descriptorLimit, bool privateDescriptorTables)
    {
        var byDescriptors = privateDescriptorTables ? 1 : CeilingOf(goal, Math.Max(1, descriptorLimit - OwnDescriptors));
        var bySize = Math.Min(cores, CeilingOf(goal, ComfortablePerAgent));
        var several = goal > SmallGoal && cores >= 2 ? 2 : 1;
        return (int)Math.Min(10_000, Math.Max(byDescriptors, Math.Max(bySize, several)));
    }

    private static long CeilingOf(long amount, long each) => (amount + each - 1) / each;
}
