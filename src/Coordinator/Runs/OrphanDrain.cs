using System.Collections.Concurrent;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Store;
using LoadHarness.Protos;
using LoadHarness.V1;
using Revision = LoadHarness.Protos.Revision;

namespace LoadHarness.Coordinator.Runs;

/// <summary>
/// Agents that come back with work of a run that ended with the coordinator's earlier life: nobody conducts it any more, and a new
/// lease would let them go on with it. They are told to drain, by what the store says that they were told last.
/// </summary>
internal sealed partial class OrphanDrain
{
    private readonly AgentRegistry _agents;
    private readonly CoordinatorStore _store;
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<(string AgentId, string RunId), bool> _told = new();

    /// <summary>Watches over the agents from now on.</summary>
    public OrphanDrain(AgentRegistry agents, CoordinatorStore store, ILogger log)
    {
        (_agents, _store, _log) = (agents, store, log);
        agents.Changed += Review;
    }

    /// <summary>Looks no more.</summary>
    public void Stop() => _agents.Changed -= Review;

    private void Review()
    {
        foreach (var agent in _agents.Agents)
        {
            if (agent is { Session: not null, Run: null, Status: { } status } && IsOrphaned(agent, status)
                && _told.TryAdd((agent.Id, status.RunId), true))
            {
                _ = Task.Run(() => Drain(agent, status));
            }
        }
    }

    // A run of this life looks after its own agents to the last.
    private bool IsOrphaned(AgentState agent, AgentStatus status) =>
        status.Revision.Epoch < _agents.Options.Epoch && agent.Assignment?.RunId != status.RunId
        && (status.Held > 0 || status.Phase is not Phase.Drained);

    private void Drain(AgentState agent, AgentStatus status)
    {
        try
        {
            if (_store.Runs.LastRevisions(status.RunId).FirstOrDefault(r => r.AgentId == agent.Id) is not { } last)
            {
                LogUnknown(_log, agent.Id, status.RunId);
                return;
            }

            var drain = WireTranslation.ToAssignment(last.Assignment) with
            {
                Revision = new Revision(_agents.Options.Epoch, 1),
                Phase = Phase.Drained,
                KernelView = null,
            };
            LogDrained(_log, agent.Id, status.RunId, status.Held);
            new RunRecord("", _store, _agents.Clock.Time).Assign(agent, drain);
        }
        catch (Exception e)
        {
            LogFailed(_log, e, agent.Id, status.RunId);
        }
    }

    [LoggerMessage(1221, LogLevel.Warning, "Agent {AgentId} came back with {Held} connections of run {RunId}, which has ended; it drains")]
    private static partial void LogDrained(ILogger log, string agentId, string runId, long held);

    [LoggerMessage(1222, LogLevel.Warning, "Agent {AgentId} came back with work of run {RunId}, of which the store knows nothing")]
    private static partial void LogUnknown(ILogger log, string agentId, string runId);

    [LoggerMessage(1223, LogLevel.Error, "Agent {AgentId} could not be told to drain run {RunId}")]
    private static partial void LogFailed(ILogger log, Exception e, string agentId, string runId);
}
