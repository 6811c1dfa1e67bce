using System.Collections.Concurrent;
using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>Every agent that has attached since the coordinator started. Members may be called from any thread.</summary>
public sealed class AgentRegistry(CoordinatorClock clock, FleetOptions options)
{
    private const int ExitsKept = 1000;

    /// <summary>Agents that are known at a time, those included that have gone.</summary>
    public const int MostAgents = 10_000;

    private readonly ConcurrentDictionary<string, AgentState> _agents = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, IRunLink> _runs = new(StringComparer.Ordinal);
    private readonly Lock _admission = new();
    private ImmutableList<AgentExit> _exits = [];
    private readonly CancellationTokenSource _closing = new();
    private string? _ended;

    /// <summary>Raised when an agent has attached, detached, departed or become idle. Handlers return at once.</summary>
    public event Action? Changed;

    /// <summary>The demands on links.</summary>
    public FleetOptions Options => options;

    /// <summary>The clock that agents map elapsed time to.</summary>
    public CoordinatorClock Clock => clock;

    /// <summary>Cancelled when the coordinator goes away.</summary>
    public CancellationToken Closing => _closing.Token;

    /// <summary>All agents, by identity.</summary>
    public ImmutableArray<AgentState> Agents => [.. _agents.Values.OrderBy(a => a.Id, StringComparer.Ordinal)];

    /// <summary>Processes that were seen to end, oldest first.</summary>
    public ImmutableList<AgentExit> Exits => _exits;

    /// <summary>One agent; null when it never attached.</summary>
    public AgentState? Find(string agentId) => _agents.GetValueOrDefault(agentId);

    /// <summary>Lets an agent in, unless another process answers to its identity.</summary>
    /// <param name="hello">How it introduces itself.</param>
    /// <param name="keyFingerprint">The key that it came with; null: none.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="AdmissionException">It is refused; the message is for it and for people.</exception>
    public async Task<AgentSession> AdmitAsync(AgentHello hello, string? keyFingerprint, CancellationToken cancel)
    {
        while (true)
        {
            AgentSession rival;
            lock (_admission)
            {
                if (_ended is { } reason)
                    throw new AdmissionException(Refusal.Types.Code.ShuttingDown, $"{reason}; attach again when it is back");
                var existing = Find(hello.AgentId);
                // The same process again: its old call is dead, whether or not we have noticed.
                if (existing?.Session is not { } session
                    || (session.Hello.Incarnation == hello.Incarnation && session.KeyFingerprint == keyFingerprint))
                    return Attach(existing, hello, keyFingerprint);
                rival = session;
            }

            if (await AnswersAsync(rival, cancel))
                throw new AdmissionException(Refusal.Types.Code.IdentityInUse, DescribeRival(rival));
            Detach(rival, "another process took over its identity");
        }
    }

    /// <summary>The session of an agent when everything that names it is right; null otherwise.</summary>
    public AgentSession? FindSession(string agentId, string incarnation, string sessionId) =>
        Find(agentId)?.Session is { } session && session.Id == sessionId && session.Hello.Incarnation == incarnation ? session : null;

    /// <summary>An attachment is over; the agent itself may live on.</summary>
    public void Detach(AgentSession session, string reason)
    {
        session.End(reason);
        if (Find(session.Hello.AgentId) is not { } agent)
            return;
        agent.Detach(session);
        Notify(agent);
    }

    /// <summary>An agent reports how far it has come.</summary>
    public void TakeStatus(AgentSession session, AgentStatus status)
    {
        if (Find(session.Hello.AgentId) is not { } agent)
            return;
        agent.TakeStatus(session, status);
        agent.Run?.AgentChanged();
    }

    /// <summary>An agent said goodbye: its sockets are closed, its share is free.</summary>
    public void TakeGoodbye(AgentSession session, string reason)
    {
        if (Find(session.Hello.AgentId) is not { } agent || !ReferenceEquals(agent.Session, session))
            return;
        agent.Depart(reason.Length == 0 ? "it said goodbye" : $"it said goodbye: {reason}");
        Notify(agent);
    }

    /// <summary>A process that is an agent here was seen to end (waitpid), so its sockets are gone.</summary>
    /// <param name="agentId">Its identity; it need not have attached yet.</param>
    /// <param name="how">In words: <c>exit code 2</c>, <c>signal 9</c>.</param>
    public void ReportExited(string agentId, string how)
    {
        ImmutableInterlocked.Update(ref _exits, (exits, exit) => [.. exits.TakeLast(ExitsKept - 1), exit], new AgentExit(agentId, how));
        if (Find(agentId) is { } agent)
        {
            agent.Depart($"its process has ended: {how}", forGood: true);
            Notify(agent);
        }
        else
        {
            Changed?.Invoke();
        }
    }

    /// <summary>As <see cref="ReportExited(string, string)"/>, for who knows only the process id.</summary>
    public void ReportExited(int processId, string how)
    {
        var agent = Agents.FirstOrDefault(a => a.Hello.Inventory.ProcessId == processId && a.Departure is null);
        ReportExited(agent?.Id ?? $"process {processId}", how);
    }

    /// <summary>From now on samples of this run find their way to it.</summary>
    public void Open(IRunLink run) => _runs[run.RunId] = run;

    /// <summary>The run takes no samples any more.</summary>
    public void Close(IRunLink run) => _runs.TryRemove(KeyValuePair.Create(run.RunId, run));

    /// <summary>The run that a sample belongs to; null when it is not, or no longer, ours.</summary>
    public IRunLink? FindRun(string runId) => _runs.GetValueOrDefault(runId);

    /// <summary>An agent of an earlier life of the coordinator works for a run that goes on; it is expected to attach again.</summary>
    /// <returns>It; null when it works for another run.</returns>
    public AgentState? Expect(AgentHello hello, IRunLink run)
    {
        var agent = _agents.GetOrAdd(hello.AgentId, _ => new AgentState(hello, run, clock, options));
        return agent.Run == run ? agent : null;
    }

    /// <summary>Takes an agent for a run: it works for one at a time.</summary>
    /// <returns>False when it works for another run or has gone.</returns>
    public bool TryReserve(AgentState agent, IRunLink run) => agent.TryReserve(run);

    /// <summary>The run needs the agent no longer.</summary>
    public void Release(AgentState agent, IRunLink run)
    {
        agent.Release(run);
        Changed?.Invoke();
    }

    /// <summary>Forgets an agent that is not attached and works for no run.</summary>
    /// <returns>Why it is still needed; null when it is forgotten, or was never here.</returns>
    public string? Forget(string agentId)
    {
        lock (_admission)
        {
            if (Find(agentId) is not { } agent)
                return null;
            if (agent.Session is not null)
            {
                return $"agent `{agentId}` is attached (process {agent.Hello.Inventory.ProcessId} on host {agent.Hello.Inventory.Hostname}); "
                    + "end it first";
            }

            if (agent.Run is { } run)
                return $"agent `{agentId}` works for run {run.RunId}; stop the run, or wait until it has given the agent up";
            _agents.TryRemove(agentId, out _);
        }

        Changed?.Invoke();
        return null;
    }

    /// <summary>Ends every attachment and lets no agent in any more: the coordinator goes away.</summary>
    public void EndAll(string reason)
    {
        lock (_admission)
            _ended = reason;
        foreach (var agent in Agents)
            agent.Session?.End(reason);
        _closing.Cancel();
    }

    private AgentSession Attach(AgentState? existing, AgentHello hello, string? keyFingerprint)
    {
        var session = new AgentSession(Guid.NewGuid().ToString("N"), hello, clock, keyFingerprint);
        if (existing is null)
        {
            MakeRoom();
            _agents[hello.AgentId] = existing = new AgentState(session, clock, options);
        }
        else
            existing.Attach(session);
        Notify(existing);
        return session;
    }

    // Of those that nobody needs any more the one that was heard longest ago goes.
    private void MakeRoom()
    {
        if (_agents.Count < MostAgents)
            return;
        var oldest = _agents.Values.Where(a => a.Session is null && a.Run is null).MaxBy(a => a.Silence)
            ?? throw new AdmissionException(Refusal.Types.Code.ShuttingDown, $"{MostAgents:N0} agents are attached, and there is no room for another one");
        _agents.TryRemove(oldest.Id, out _);
    }

    // Waited for in two parts: a coordinator that stood still finds a wait over before it has read what came meanwhile.
    private async Task<bool> AnswersAsync(AgentSession session, CancellationToken cancel)
    {
        var heartbeat = session.NextHeartbeat;
        return await ComesWithinAsync(options.HeartbeatInterval) || await ComesWithinAsync(options.HeartbeatInterval);

        async Task<bool> ComesWithinAsync(TimeSpan time)
        {
            try
            {
                await heartbeat.WaitAsync(time, clock.Time, cancel);
                return session.Ended is null;
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
    }

    private static string DescribeRival(AgentSession rival) =>
        $"agent identity `{rival.Hello.AgentId}` is in use by process {rival.Hello.Inventory.ProcessId} on host "
        + $"{rival.Hello.Inventory.Hostname}, which answers; give this agent another identity, or end the other one";

    private void Notify(AgentState agent)
    {
        agent.Run?.AgentChanged();
        Changed?.Invoke();
    }
}

/// <summary>A process that was seen to end.</summary>
/// <param name="AgentId">Its identity as an agent.</param>
/// <param name="How">In words.</param>
public sealed record AgentExit(string AgentId, string How);

/// <summary>An agent is not let in.</summary>
/// <param name="code">For the agent.</param>
/// <param name="message">For people.</param>
public sealed class AdmissionException(Refusal.Types.Code code, string message) : Exception(message)
{
    /// <summary>For the agent.</summary>
    public Refusal.Types.Code Code => code;
}
