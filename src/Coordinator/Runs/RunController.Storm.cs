using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <content>Reconnect storms: all agents close a part of what they hold at one instant, and open it again.</content>
public sealed partial class RunController
{
    /// <summary>How far ahead a storm's instant lies, so that every agent knows it before it comes.</summary>
    private static readonly TimeSpan _stormAhead = TimeSpan.FromMilliseconds(300);

    /// <inheritdoc/>
    public async Task ReconnectAsync(StormSpec storm)
    {
        if (_snapshot.Value.State != RunState.Holding)
            throw NotHolding();
        var done = _commands.RequestStorm(storm);
        // The run may have gone on between the look and the request: then nobody answers it.
        if (_snapshot.Value.State is RunState.Draining || _snapshot.Value.State.HasEnded())
            _commands.RefuseStorms(NotHolding());
        await done;
    }

    // Its recovery may have been told after the conduct was kept.
    private void RestoreStorms(RunConduct conduct)
    {
        var newest = _measurements.Events.All.LastOrDefault(e => e.Kind is RunEventKinds.Storm or RunEventKinds.Recovered);
        _measurements.Storms.Restore(conduct.Storms, conduct.StormPending && newest?.Kind == RunEventKinds.Storm);
        _roster.Storm = conduct.Storms.LastOrDefault();
    }

    private RunRejectedException NotHolding() => RunRejectedException.NotHolding(RunId, _snapshot.Value.State);

    private void ReviewStorms(TimeSpan elapsed)
    {
        while (_commands.TryTakeStorm(out var request))
        {
            if (WhyNoStorm(request.Storm, elapsed) is { } rejection)
            {
                request.Done.TrySetException(rejection);
                continue;
            }

            BeginStorm(request.Storm, elapsed);
            request.Done.TrySetResult();
        }

        if (_measurements.Storms.TakeRecovered() is { } storm)
        {
            _measurements.Event(RunEventKinds.Recovered, "",
                $"reconnect storm {storm.Number}: {storm.Held:N0} connections are ESTABLISHED again {storm.RecoverySeconds:0.#} s after its instant; "
                + $"{storm.Closed:N0} were closed, {storm.Opened:N0} opened, and {storm.LowestEstablished:N0} were the fewest");
        }
    }

    private RunRejectedException? WhyNoStorm(StormSpec storm, TimeSpan elapsed)
    {
        if (_snapshot.Value.State != RunState.Holding)
            return NotHolding();
        if (_measurements.Storms.Pending is { } earlier)
        {
            return new(RunRejection.WrongState,
                [$"run {RunId} has not recovered from reconnect storm {earlier.Number} of second {earlier.At.TotalSeconds:0} yet: "
                    + $"`loadharness runs watch {RunId}` shows when {earlier.Held:N0} connections are ESTABLISHED again"]);
        }

        if (elapsed + _stormAhead + storm.Within > _plan!.HoldEnd)
        {
            return new(RunRejection.Invalid,
                [$"--within {DurationText.Format(storm.Within)} is too long: the hold of run {RunId} ends in "
                    + $"{DurationText.Format(TimeSpan.FromSeconds(Math.Max(0, Math.Floor((_plan.HoldEnd - elapsed).TotalSeconds))))}. Give a shorter one"]);
        }

        if (_roster.Working.Where(m => !m.Agent.Hello.Capabilities.Contains(Capabilities.Reconnect)).Select(m => m.Agent.Id).ToList() is { Count: > 0 } unable)
        {
            return new(RunRejection.DoesNotFit,
                [$"agents without the capability `{Capabilities.Reconnect}` cannot reconnect: {string.Join(", ", unable.Take(5))}"
                    + $"{(unable.Count > 5 ? $" and {unable.Count - 5:N0} more" : "")}; install the coordinator's version of loadharness-agent"]);
        }

        var problems = StormTuples.Check(storm, _spec.Rest, SharesNow());
        return problems.IsEmpty ? null : new(RunRejection.DoesNotFit, problems);
    }

    private ImmutableArray<StormShare> SharesNow() => _measurements.Read((timeline, _) =>
        _roster.Working.Select(m => timeline.Agent(m.Agent.Id)).OfType<AgentTotals>()
            .Select(a => new StormShare(a.AgentId, a.Newest.Established, a.Newest.FreeTuples)).ToImmutableArray());

    private void BeginStorm(StormSpec asked, TimeSpan elapsed)
    {
        // What was missing before is not to be waited for.
        var held = Math.Min(_plan!.Schedule.GoalAt(elapsed), _measurements.Read((timeline, _) => timeline.Newest?.Gauges.Established ?? 0));
        var storm = _measurements.Storms.Add(elapsed + _stormAhead, asked, held);
        _roster.Storm = storm;
        Command(Phase.Running, _plan.DrainTimeout);
        _measurements.Event(RunEventKinds.Storm, "",
            $"reconnect storm {storm.Number}: {PercentText.Format(storm.Fraction)} of {held:N0} connections close by "
            + $"{(storm.Close == CloseMethod.Rst ? "RST" : "FIN")} within {DurationText.Format(storm.Within)} and open again, from {storm.At.TotalSeconds:0.0} s on");
        Publish(s => s);
    }
}
