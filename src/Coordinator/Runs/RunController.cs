using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Runs;

/// <summary>
/// Conducts one run from its first agent to its summary: gather, plan, prepare, load, drain, conclude. One loop does all of it
/// and looks at the agents as they are, so that no order of events can confuse it; others reach it through its commands.
/// </summary>
public sealed partial class RunController : IRun, IRunLink, IAsyncDisposable
{
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(100);

    /// <summary>How far an agent's idea of the elapsed time may be ahead of ours.</summary>
    private static readonly TimeSpan _clockMargin = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan _publishInterval = TimeSpan.FromSeconds(1);

    private readonly AgentRegistry _registry;
    private readonly CoordinatorClock _clock;
    private readonly ILogger _log;
    private readonly BlockLedger _ledger;
    private readonly RunSpec _spec;
    private readonly RunCommands _commands;
    private readonly KernelReaders _readers = new();
    private readonly RunRecord _record;
    private readonly AgentChoice _choice;
    private readonly RouteSurvey _survey;
    private readonly RunRoster _roster;
    private readonly BackendRoster _backends;
    private readonly PlanMaker _planMaker;
    private readonly RunMeasurements _measurements;
    private readonly RunStages _stages;
    private readonly Latest<RunSnapshot> _snapshot;
    private readonly CancellationTokenSource _abandoned = new();
    private readonly TaskCompletionSource _firstLook = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RunPlan? _plan;
    private long _asked;
    private long? _startNanos;
    private long _publishedNanos;
    private TimeSpan _drained;
    private Task _conducting = Task.CompletedTask;

    internal RunController(string id, RunSpec spec, RunRecord record, RunEnvironment environment)
    {
        (RunId, _spec, _record, _asked) = (id, spec, record, spec.Connections);
        (_registry, _clock, _log) = (environment.Registry, environment.Registry.Clock, environment.Log);
        _ledger = environment.Ledger;
        _commands = new RunCommands(_clock.Time);
        var builder = new AssignmentBuilder(id, spec, _registry.Options);
        _backends = new BackendRoster(this, _registry, record, builder);
        _survey = new RouteSurvey(spec, _clock);
        _choice = new AgentChoice(_registry, spec);
        _planMaker = new PlanMaker(id, spec, environment.Ledger);
        _roster = new RunRoster(this, _registry, record, builder, _readers, _planMaker.Provisions);
        _measurements = new RunMeasurements(spec, () => Elapsed, (number, happened) => record.AddEvent(id, number, happened));
        _stages = new RunStages(_clock);
        _snapshot = new Latest<RunSnapshot>(new RunSnapshot
        {
            Id = id,
            Spec = spec,
            State = RunState.Pending,
            CreateTime = _clock.Time.GetUtcNow(),
        });
    }

    /// <inheritdoc/>
    public string RunId { get; }

    /// <inheritdoc/>
    public Latest<RunSnapshot> Snapshot => _snapshot;

    /// <inheritdoc/>
    public Task Ended => _conducting;

    /// <summary>Keeps the run and starts it.</summary>
    /// <returns>Completes when it has looked at the agents that are there.</returns>
    /// <exception cref="RunRejectedException">It cannot be kept, or they are enough and it does not fit them: there is no run.</exception>
    internal Task StartAsync()
    {
        _registry.Open(this);
        _registry.Changed += _commands.Wake;
        _conducting = Task.Run(() => ConductAsync(_abandoned.Token));
        return _firstLook.Task;
    }

    /// <inheritdoc/>
    public async Task ScaleAsync(long goal, TimeSpan? over)
    {
        if (goal is < 0 or > RunSpecValidator.MostConnections)
        {
            throw new RunRejectedException(
                RunRejection.Invalid, [$"connections {goal}: 0 to {RunSpecValidator.MostConnections} is allowed"]);
        }

        if (over < TimeSpan.Zero)
            throw new RunRejectedException(RunRejection.Invalid, [$"over {over}: a time of zero or more is allowed"]);
        if (!_snapshot.Value.State.IsUnderLoad())
            throw NotUnderLoad();
        var done = _commands.RequestScale(goal, over);
        // The run may have ended between the look and the request: then nobody answers it.
        if (_snapshot.Value.State is RunState.Draining || _snapshot.Value.State.HasEnded())
            _commands.RefuseScales(NotUnderLoad());
        await done;
    }

    /// <inheritdoc/>
    public void Stop(bool immediately, string reason = "") => _commands.RequestStop(new StopRequest(immediately, reason));

    /// <inheritdoc/>
    public RunSockets? ReadSockets() => _measurements.Read((timeline, _) => RunSockets.Of(timeline.Kernel, Elapsed));

    /// <inheritdoc/>
    public void AgentChanged() => _commands.Wake();

    /// <inheritdoc/>
    public Task KeepAsync(AgentSample sample, byte[] bytes)
    {
        if (_startNanos is not null && (sample.To > Elapsed + _clockMargin || sample.Kernel?.TakenAt > Elapsed + _clockMargin))
        {
            throw new WireException("sample.to_millis",
                $"it ends {sample.To.TotalSeconds:0.###} s after the start, and its view of the kernel {sample.Kernel?.TakenAt.TotalSeconds:0.###} s; "
                + $"{Elapsed.TotalSeconds:0.###} s have passed");
        }

        // In this order: what is folded is in the store already, and can be taken out there.
        var kept = _record.KeepAsync(RunId, sample, bytes);
        _readers.Heard(sample, Elapsed);
        _backends.Heard(sample, Elapsed);
        _measurements.Add(sample);
        return kept;
    }

    /// <inheritdoc/>
    public void Note(string agentId, AgentFinding finding) => _measurements.Note(agentId, finding);

    /// <summary>There is no such run after all: the store forgets it.</summary>
    internal void Forget() => _record.Forget(RunId);

    /// <summary>Gives the run up without a drain: its agents end it by their leases.</summary>
    public async ValueTask DisposeAsync()
    {
        await _abandoned.CancelAsync();
        await _conducting;
        _abandoned.Dispose();
    }

    // Before the start instant is fixed no time has elapsed.
    private TimeSpan Elapsed => _startNanos is { } start ? CoordinatorClock.Between(start, _clock.Nanos) : TimeSpan.Zero;

    private async Task ConductAsync(CancellationToken abandoned)
    {
        RunEnd end;
        try
        {
            end = await (_kept is null ? ConductFromStartAsync(abandoned) : GoOnAsync(abandoned));
        }
        catch (RunEndException e)
        {
            end = e.End;
        }
        catch (RunRejectedException e)
        {
            _firstLook.TrySetException(e);
            end = new(RunEnding.Internal, e.Message);
        }
        catch (OperationCanceledException)
        {
            end = new(RunEnding.Internal, "the coordinator has ended; agents drain when their leases end");
        }
        catch (Exception e)
        {
            LogBroken(_log, e, RunId);
            end = new(RunEnding.Internal, $"a defect of the coordinator: {e.Message}; its log has the details");
        }

        await ConcludeAsync(end, abandoned);
    }

    private async Task<RunEnd> ConductFromStartAsync(CancellationToken abandoned)
    {
        await _record.CreateAsync(_snapshot.Value);
        await GatherAsync(abandoned);
        await PrepareAsync(abandoned);
        return await LoadAsync(abandoned);
    }

    private async Task ConcludeAsync(RunEnd end, CancellationToken abandoned)
    {
        _end = end;
        try
        {
            if (!_nobodyLeft && (_roster.Order is not null || _kept is { Conduct.Plan: not null }))
                await DrainAsync(end, abandoned);
        }
        catch (Exception e)
        {
            if (e is not OperationCanceledException)
                LogBroken(_log, e, RunId);
        }

        _registry.Changed -= _commands.Wake;
        _registry.Close(this);
        _ledger.Release(RunId);
        _roster.ReleaseAll();
        _backends.ReleaseAll();
        _stages.Close();
        try
        {
            Conclude(end);
        }
        catch (Exception e)
        {
            LogBroken(_log, e, RunId);
            Publish(s => s with
            {
                State = RunState.Failed,
                Reason = $"a defect of the coordinator: {e.Message}; its log has the details",
                EndTime = _clock.Time.GetUtcNow(),
            });
        }

        _commands.RefuseScales(NotUnderLoad());
        _commands.RefuseStorms(NotHolding());
        AnswerReports();
        _firstLook.TrySetResult();
    }

    private void Enter(RunState state, string reason = "")
    {
        var from = _snapshot.Value.State;
        if (from == state)
            return;
        if (!from.CanBecome(state))
            throw new InvalidOperationException($"run {RunId} cannot go from {from} to {state}");
        LogState(_log, RunId, state, reason);
        Publish(s => s with { State = state, Reason = reason, EndTime = state.HasEnded() ? _clock.Time.GetUtcNow() : null });
    }

    private void Publish(Func<RunSnapshot, RunSnapshot> change)
    {
        _publishedNanos = _clock.Nanos;
        var changed = change(_snapshot.Value) with { Events = _measurements.Events.Newest };
        _record.Save(changed);
        _snapshot.Set(changed);
    }

    // Watchers hear from the run each second even when nothing has changed.
    private async Task TickAsync(CancellationToken abandoned)
    {
        await _commands.WaitAsync(_tick, abandoned);
        ReviewStore();
        AnswerReports();
        if (CoordinatorClock.Between(_publishedNanos, _clock.Nanos) >= _publishInterval)
            Publish(s => s);
    }

    private RunRejectedException NotUnderLoad() => RunRejectedException.NotUnderLoad(RunId, _snapshot.Value.State);

    private void ThrowIfStopped()
    {
        if (_commands.Stop is { } stop)
            throw new RunEndException(RunEnding.Stopped, stop.Reason);
    }
}
