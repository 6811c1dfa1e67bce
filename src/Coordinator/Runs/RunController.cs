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
public sealed partial class RunController : IRunLink, IAsyncDisposable
{
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _publishInterval = TimeSpan.FromSeconds(1);

    private readonly AgentRegistry _registry;
    private readonly CoordinatorClock _clock;
    private readonly ILogger _log;
    private readonly RunSpec _spec;
    private readonly RunCommands _commands;
    private readonly KernelReaders _readers = new();
    private readonly RunRoster _roster;
    private readonly PlanMaker _planMaker;
    private readonly RunMeasurements _measurements;
    private readonly RunStages _stages;
    private readonly Latest<RunSnapshot> _snapshot;
    private readonly CancellationTokenSource _abandoned = new();
    private readonly TaskCompletionSource _firstLook = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RunPlan? _plan;
    private long? _startNanos;
    private long _publishedNanos;
    private TimeSpan _rousedAt = TimeSpan.MinValue / 2;
    private TimeSpan _drained;
    private Task _conducting = Task.CompletedTask;

    internal RunController(string id, RunSpec spec, RunEnvironment environment)
    {
        (RunId, _spec) = (id, spec);
        (_registry, _clock, _log) = (environment.Registry, environment.Registry.Clock, environment.Log);
        _commands = new RunCommands(_clock.Time);
        _roster = new RunRoster(this, _registry, new AssignmentBuilder(id, spec, _registry.Options), _readers);
        _planMaker = new PlanMaker(spec, environment.IsHere);
        _measurements = new RunMeasurements(spec);
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

    /// <summary>The run as it is now, to read and to watch.</summary>
    public Latest<RunSnapshot> Snapshot => _snapshot;

    /// <summary>Completes when the run has ended and its summary is there. Never fails.</summary>
    public Task Ended => _conducting;

    /// <summary>Starts the run.</summary>
    /// <returns>Completes when it has looked at the agents that are there.</returns>
    /// <exception cref="RunRejectedException">They are enough, and the run does not fit them: there is no run.</exception>
    internal Task StartAsync()
    {
        _registry.Open(this);
        _registry.Changed += _commands.Wake;
        _conducting = Task.Run(() => ConductAsync(_abandoned.Token));
        return _firstLook.Task;
    }

    /// <summary>Replaces the schedule from now on; the end of the run stays where it is.</summary>
    /// <param name="goal">0 to 100,000,000 connections.</param>
    /// <param name="over">How long the change takes; null: as the run's connect rate allows.</param>
    /// <exception cref="RunRejectedException">The run is not under load, or the goal does not fit; nothing has changed.</exception>
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

    /// <summary>Drains the run, or ends it at once. A run that has ended stays as it is.</summary>
    /// <param name="immediately">RST instead of FIN.</param>
    /// <param name="reason">For the report; empty when a user asked.</param>
    public void Stop(bool immediately, string reason = "") => _commands.RequestStop(new StopRequest(immediately, reason));

    /// <inheritdoc/>
    public void AgentChanged() => _commands.Wake();

    /// <inheritdoc/>
    public void Keep(AgentSample sample)
    {
        _readers.Heard(sample, Elapsed);
        _measurements.Add(sample);
    }

    /// <inheritdoc/>
    public void Note(string agentId, AgentFinding finding) => _measurements.Note(agentId, finding);

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
            await GatherAsync(abandoned);
            await PrepareAsync(abandoned);
            end = await LoadAsync(abandoned);
        }
        catch (RunEndException e)
        {
            end = e.End;
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

    private async Task ConcludeAsync(RunEnd end, CancellationToken abandoned)
    {
        try
        {
            if (_roster.Order is not null)
                await DrainAsync(end, abandoned);
        }
        catch (Exception e)
        {
            if (e is not OperationCanceledException)
                LogBroken(_log, e, RunId);
        }

        _registry.Changed -= _commands.Wake;
        _registry.Close(this);
        _roster.ReleaseAll();
        _stages.Close();
        try
        {
            Conclude(end);
        }
        catch (Exception e)
        {
            LogBroken(_log, e, RunId);
            Publish(s => s with { State = RunState.Failed, Reason = $"a defect of the coordinator: {e.Message}; its log has the details" });
        }

        _commands.RefuseScales(NotUnderLoad());
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
        Publish(s => s with { State = state, Reason = reason });
    }

    private void Publish(Func<RunSnapshot, RunSnapshot> change)
    {
        _publishedNanos = _clock.Nanos;
        _snapshot.Set(change(_snapshot.Value));
    }

    // Watchers hear from the run each second even when nothing has changed.
    private async Task TickAsync(CancellationToken abandoned)
    {
        await _commands.WaitAsync(_tick, abandoned);
        if (CoordinatorClock.Between(_publishedNanos, _clock.Nanos) >= _publishInterval)
            Publish(s => s);
    }

    private RunRejectedException NotUnderLoad() => new(RunRejection.WrongState,
        [$"run {RunId} is {_snapshot.Value.State.ToString().ToLowerInvariant()}; a run can be scaled while it is ramping or holding"]);

    private void ThrowIfStopped()
    {
        if (_commands.Stop is { } stop)
            throw new RunEndException(RunEnding.Stopped, stop.Reason);
    }
}
