using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

public sealed partial class RunController
{
    /// <summary>How far ahead the start instant lies, so that every agent knows it before it comes.</summary>
    private static readonly TimeSpan _startAhead = TimeSpan.FromMilliseconds(300);

    /// <summary>What is added to a drain's own deadline before it counts as not confirmed.</summary>
    private static readonly TimeSpan _drainMargin = TimeSpan.FromSeconds(5);

    /// <summary>How long last samples may take after the last agent has drained.</summary>
    private static readonly TimeSpan _settleTime = TimeSpan.FromSeconds(3);

    /// <summary>Opens and holds, until the time is over or something ends the run.</summary>
    private async Task<RunEnd> LoadAsync(CancellationToken abandoned)
    {
        _startNanos = _clock.Nanos + CoordinatorClock.ToNanos(_startAhead);
        Publish(s => s with { StartTime = StartedAt() });
        _measurements.Begin(_plan!, _backends.Members.Select(m => m.Agent.Id));
        Keep();
        _backends.Command(Phase.Running, _startNanos, _plan!.DrainTimeout, Elapsed);
        Command(Phase.Running, _plan!.DrainTimeout);
        EnterUnderLoad(RunState.Ramping, StageSpan.Ramp, 0, _startNanos.Value);
        return await StayAsync(abandoned);
    }

    /// <summary>Holds what there is and opens what is missing.</summary>
    private async Task<RunEnd> StayAsync(CancellationToken abandoned)
    {
        while (true)
        {
            var elapsed = Elapsed;
            if (_commands.Stop is { } stop)
                return new(RunEnding.Stopped, stop.Reason);
            ThrowIfRefused();
            ReviewAgents(elapsed);
            ReviewSources(elapsed);
            ReviewEmptied(elapsed);
            while (_commands.TryTakeScale(out var request))
                Scale(request, elapsed);
            Measure(elapsed);
            ReviewStorms(elapsed);
            if (!_plan!.Agents.IsEmpty && _measurements.MetAt(_plan.Goal) is { } met)
                EnterUnderLoad(RunState.Holding, StageSpan.Hold, _plan.Goal, _startNanos!.Value + CoordinatorClock.ToNanos(met));
            if (_measurements.WhyHopeless() is { } reason)
                return new(RunEnding.Aborted, reason);
            if (elapsed >= _plan.HoldEnd)
                return new(RunEnding.Completed, "");
            await TickAsync(abandoned);
        }
    }

    private void NoteFindings()
    {
        foreach (var (id, status) in _roster.Members.Concat(_backends.Members).Select(m => (m.Agent.Id, m.Agent.Status)))
        {
            if (status is null || status.RunId != RunId)
                continue;
            foreach (var finding in status.Findings.Where(f => f.Severity >= Finding.Types.Severity.Warning))
                _measurements.Note(id, finding with { Message = $"agent {id}, {finding.Subject}: {finding.Message}" }, isItsOwn: true);
        }
    }

    private void Scale(ScaleRequest request, TimeSpan elapsed)
    {
        var made = _planMaker.Change(
            _plan!, new ScaleOrder(elapsed, request.Goal, request.Over), [.. Carriers]);
        if (made.Plan is not { } plan)
        {
            request.Done.TrySetException(made.Rejection);
            return;
        }

        var before = _plan!;
        _asked = request.Goal;
        _measurements.Storms.GiveUp();
        _measurements.Replan(before, plan, elapsed);
        Adopt(plan);
        Command(Phase.Running, plan.DrainTimeout);
        // A change of a change begins another stage too, though the state stays.
        Enter(RunState.Ramping);
        _stages.Begin(StageSpan.Scale, before.Schedule.GoalAt(elapsed), plan.Goal);
        request.Done.TrySetResult();
    }

    /// <summary>
    /// Has every client close what it holds, and then the backends what is left of that; waits for both and for the last samples.
    /// </summary>
    private async Task DrainAsync(RunEnd end, CancellationToken abandoned)
    {
        Enter(RunState.Draining, end.Reason);
        if (!_stages.IsIn(StageSpan.Drain))
            _stages.Begin(StageSpan.Drain, _startNanos is null ? 0 : _plan!.Schedule.GoalAt(Elapsed), 0);
        _measurements.BeginDrain(Elapsed);
        Keep();
        try
        {
            await WaitDrainedAsync(_roster, timeout => Command(Phase.Drained, timeout), abandoned);
            await WaitDrainedAsync(_backends, timeout => _backends.Command(Phase.Drained, _startNanos, timeout, Elapsed), abandoned);
        }
        finally
        {
            _drained = Elapsed;
        }

        await SettleAsync(abandoned);
    }

    private async Task WaitDrainedAsync(Roster roster, Action<TimeSpan> command, CancellationToken abandoned)
    {
        var immediately = _commands.Stop?.Immediately == true;
        var deadline = CommandDrain();
        while (!roster.Laggards(Phase.Drained).IsEmpty && _clock.Nanos < deadline)
        {
            if (!immediately && _commands.Stop?.Immediately == true)
            {
                immediately = true;
                deadline = CommandDrain();
            }

            _commands.RefuseScales(NotUnderLoad());
            _commands.RefuseStorms(NotHolding());
            ReviewLosses(Elapsed);
            roster.NoteDrained(Elapsed);
            Measure(Elapsed);
            await TickAsync(abandoned);
        }

        roster.NoteDrained(Elapsed);
        foreach (var laggard in roster.Laggards(Phase.Drained))
        {
            _measurements.Note(laggard.Agent.Id, new(Finding.Types.Severity.Warning, "drain",
                $"agent {laggard.Agent.Id} did not confirm that it has closed everything; "
                + $"`ss -tn` on {laggard.Agent.Hello.Inventory.Hostname} shows what is left"));
        }

        long CommandDrain()
        {
            var timeout = immediately ? TimeSpan.Zero : _plan!.DrainTimeout;
            command(timeout);
            // What is left at the agents' deadline is reset, which takes its time too.
            var resets = RunMember.ResetTime(_plan!.Goal);
            return _clock.Nanos + CoordinatorClock.ToNanos(timeout + resets + _drainMargin);
        }
    }

    private async Task SettleAsync(CancellationToken abandoned)
    {
        var deadline = _clock.Nanos + CoordinatorClock.ToNanos(_settleTime);
        while (_clock.Nanos < deadline && _startNanos is not null
            && _roster.Working.Concat(_backends.Working).Any(m => m.Agent.Session is not null && !_measurements.HasNothingOpen(m.Agent.Id)))
        {
            await TickAsync(abandoned);
        }

        Measure(Elapsed + _settleTime);
    }

    private void Command(Phase phase, TimeSpan drainTimeout)
    {
        Keep();
        _roster.Command(_plan!, phase, _startNanos, drainTimeout, Elapsed);
    }

    private void EnterUnderLoad(RunState state, string stage, long from, long atNanos)
    {
        if (_snapshot.Value.State == state)
            return;
        Enter(state);
        _stages.Begin(stage, from, _plan!.Goal, atNanos);
        Keep();
    }

    private void Measure(TimeSpan elapsed)
    {
        if (_startNanos is not null && _measurements.Advance(elapsed, _plan!, _roster.Everyone, _backends.Members) is { } progress)
            Publish(s => s with { Progress = progress });
        // While the store cannot write, samples are not folded: what waits to be written stays small.
        if (_record.Problem is null && _measurements.TakeFold(atEnd: false) is { } fold)
        {
            _record.Conduct(RunId, Conduct);
            _record.Fold(RunId, fold);
        }
    }
}
