namespace LoadHarness.Coordinator.Planning;

/// <summary>What one agent can hold, and how many reactors it starts for a share.</summary>
public static class AgentCapacity
{
    /// <summary>Most reactors of one agent.</summary>
    public const int MostReactors = 256;

    /// <summary>Connections that an agent holds at most: what its descriptors allow, within what its user does.</summary>
    public static long MostConnections(AgentResources agent) => Math.Min(ByDescriptors(agent), agent.MaxConnections ?? long.MaxValue);

    /// <summary>
    /// Connections that an agent's descriptors allow: every reactor has a table of its own where the kernel grants one.
    /// </summary>
    public static long ByDescriptors(AgentResources agent) =>
        agent.PrivateDescriptorTables ? (long)agent.ConnectionsPerReactor * MostReactors : agent.ConnectionsPerReactor;

    /// <summary>Reactors that a share needs: one for each core that has something to do, and as many as its descriptors ask for.</summary>
    /// <param name="agent">The agent.</param>
    /// <param name="share">Its part of the goal.</param>
    /// <returns>At least 1.</returns>
    public static int Reactors(AgentResources agent, long share)
    {
        if (!agent.PrivateDescriptorTables)
            return 1;
        var perTable = Math.Max(1, agent.ConnectionsPerReactor);
        var needed = (share + perTable - 1) / perTable;
        return (int)Math.Clamp(Math.Max(needed, Math.Min(agent.Cores, share)), 1, MostReactors);
    }
}
