using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>A run that an earlier life of the coordinator began, and what is kept for a later one.</summary>
public sealed partial class RunController
{
    private KeptRun? _kept;
    private RunEnd? _end;
    private bool _nobodyLeft;

    /// <summary>Goes on with a run of an earlier life of the coordinator. Nothing of it is closed, and its agents are waited for.</summary>
    /// <exception cref="WireException">A sample that was kept cannot be read.</exception>
    internal static RunController Resume(KeptRun kept, RunRecord record, RunEnvironment environment)
    {
        var run = new RunController(kept.Snapshot.Id, kept.Snapshot.Spec, record, environment);
        run.Restore(kept);
        return run;
    }

    /// <summary>Why nothing of the run can be left: its agents have been without the coordinator for too long. Null while something may be.</summary>
    private string? WhyOver
    {
        get
        {
            if (_plan is null)
                return null;
            var limit = _registry.Options.Lease + DrainTimeout + _registry.Options.LossMargin + RunMember.ResetTime(_plan.Goal);
            return _kept!.AwayFor > limit
                ? $"the coordinator was gone for {DurationText.Format(Whole(_kept.AwayFor.Value))}, and agents drain by themselves when their "
                    + $"leases ({DurationText.Format(_registry.Options.Lease)}) end"
                : null;
        }
    }

    private TimeSpan DrainTimeout => _end is not null && _kept?.Conduct.Immediately == true ? TimeSpan.Zero : _plan!.DrainTimeout;

    private void Restore(KeptRun kept)
    {
        var conduct = kept.Conduct;
        (_kept, _plan) = (kept, conduct.Plan);
        _measurements.Restore(kept.Measurements, kept.Seconds, kept.BackendSeconds, kept.Events);
        _snapshot.Set(kept.Snapshot with { Events = _measurements.Events.Newest });
        _record.Begin(_snapshot.Value);
        if (_plan is not null)
            Restore(kept, conduct, _plan);
    }

    private void Restore(KeptRun kept, RunConduct conduct, RunPlan plan)
    {
        (_asked, _startNanos, _end) = (conduct.Asked, conduct.StartNanos, conduct.End);
        _stages.Restore(conduct.Stages);
        (_planMaker.Replies, _planMaker.Gone) = (Whole(conduct.Replies), conduct.Gone);
        _planMaker.BackendNamespaces = [.. conduct.Backends.Select(b => b.Hello.Inventory.NetworkNamespace)];
        _planMaker.Provisions.Restore(conduct.Provisions);
        RestoreStorms(conduct);
        if (conduct.StartNanos is not null)
            _measurements.Begin(plan, conduct.Backends.Select(b => b.Hello.AgentId));
        // Before the samples of the drain are counted: they say nothing of the hold.
        if (conduct.StartNanos is { } start && conduct.Stages.FirstOrDefault(s => s.Name == StageSpan.Drain) is { } drain)
            _measurements.BeginDrain(CoordinatorClock.Between(start, drain.StartNanos));
        foreach (var sample in kept.UnfoldedSamples())
            _measurements.AddUnfolded(sample);
        if (conduct.Immediately)
            _commands.RequestStop(new StopRequest(true, conduct.End?.Reason ?? ""));
        var goesOn = WhyOver is null;
        _roster.Restore(conduct.Clients.Select(m => MemberOf(m, goesOn)));
        _backends.Restore(conduct.Backends.Select(m => MemberOf(m, goesOn)));
        _roster.RestoreFormer(conduct.Former.Select(m => MemberOf(m, expected: false)));
        if (goesOn)
            _planMaker.Keep(plan);
    }

    // Names are compared as those of hosts are, which the text of the store does not say.
    private static ImmutableDictionary<string, RouteReply> Whole(ImmutableDictionary<string, RouteReply> replies) =>
        replies.ToImmutableDictionary(r => r.Key, r => RouteReply.Empty.With(r.Value), StringComparer.Ordinal);

    private RunMember MemberOf(MemberConduct kept, bool expected)
    {
        var agent = expected ? _registry.Expect(kept.Hello, this) : null;
        agent ??= new AgentState(kept.Hello, null, _clock, _registry.Options);
        foreach (var (incarnation, sequence) in _measurements.NewestOf(agent.Id).Where(s => s.Incarnation == kept.Hello.Incarnation))
            agent.Intake.Restore(incarnation, sequence);
        return RunMember.Of(agent, kept);
    }

    /// <summary>Takes the run up where it was.</summary>
    private async Task<RunEnd> GoOnAsync(CancellationToken abandoned)
    {
        if (WhyOver is { } reason)
            return Over(reason);
        await FindStartAsync(abandoned);
        _roster.RestoreReaders(_kept!.Readers, Elapsed);
        _backends.RestoreReaders(_kept.Readers, Elapsed);
        var away = _kept.AwayFor is { } gone ? $"for {Whole(gone).TotalSeconds:0} s " : "";
        _measurements.Event(RunEventKinds.CoordinatorRestarted, "", $"the coordinator was gone {away}and goes on with the run");
        LogResumed(_log, RunId, _snapshot.Value.State, _plan is null ? _spec.Agents + _spec.Backends : _roster.Members.Length + _backends.Members.Length);
        if (_end is { } end)
            return end;
        if (_plan is null)
            await GatherAsync(abandoned);
        if (_startNanos is not { } start)
        {
            await PrepareAsync(abandoned);
            return await LoadAsync(abandoned);
        }

        EnterUnderLoadAgain(start);
        _backends.Command(Phase.Running, start, _plan!.DrainTimeout, Elapsed);
        Command(Phase.Running, _plan.DrainTimeout);
        return await StayAsync(abandoned);
    }

    // Its agents have closed everything without us: what is left to do is to say so.
    private RunEnd Over(string reason)
    {
        (_nobodyLeft, _drained) = (true, _measurements.LastReport);
        if (_startNanos is { } start)
            _stages.Close(start + CoordinatorClock.ToNanos(_drained));
        foreach (var member in _roster.Members.Concat(_backends.Members).Where(m => m.DrainedAt is null && m.Loss is null && _end is null))
            member.Lose(new(reason, _drained, false, member.Agent.Hello.Incarnation, _measurements.HeldBy(member.Agent.Id)));
        return _end ?? new(RunEnding.AgentsLost, reason);
    }

    // The start instant was kept, and then the coordinator ended before it could say so.
    private void EnterUnderLoadAgain(long start)
    {
        if (_snapshot.Value.State is RunState.Preparing)
            EnterUnderLoad(RunState.Ramping, StageSpan.Ramp, 0, start);
    }

    /// <summary>The coordinator's clock counts from another instant when the machine was started anew: then agents know the time.</summary>
    private async Task FindStartAsync(CancellationToken abandoned)
    {
        if (_kept!.AwayFor is not null || _startNanos is not { } before)
            return;
        _startNanos = null;
        var deadline = _clock.Nanos + CoordinatorClock.ToNanos(_registry.Options.Lease + DrainTimeout + _registry.Options.LossMargin);
        while (_clock.Nanos < deadline)
        {
            ThrowIfStopped();
            var told = _roster.Members.Concat(_backends.Members).Select(m => m.Agent.HeldStart)
                .FirstOrDefault(h => h is { } start && start.RunId == RunId);
            if (told is { StartNanos: var found })
            {
                _startNanos = found;
                _stages.Shift(found - before);
                return;
            }

            await TickAsync(abandoned);
        }

        _startNanos = _clock.Nanos - CoordinatorClock.ToNanos(_measurements.LastReport);
        _stages.Shift(_startNanos.Value - before);
        throw new RunEndException(Over(
            "the machine of the coordinator was started anew, and no agent came back that knows how far the run is"));
    }

    /// <summary>Keeps how the run is conducted, before agents are told.</summary>
    private void Keep()
    {
        if (_plan is null)
            return;
        _record.Conduct(RunId, Conduct);
        _record.Fold(RunId, _measurements.TakeCheckpoint());
    }

    private RunConduct Conduct => new()
    {
        Plan = _plan,
        Asked = _asked,
        StartNanos = _startNanos,
        End = _end,
        Immediately = _end is not null && _commands.Stop?.Immediately == true,
        Clients = [.. _roster.Members.Select(m => m.Kept)],
        Former = [.. _roster.Former.Select(m => m.Kept)],
        Backends = [.. _backends.Members.Select(m => m.Kept)],
        Stages = _stages.Kept,
        Storms = _measurements.Storms.All,
        StormPending = _measurements.Storms.Pending is not null,
        Replies = _planMaker.Replies,
        Gone = _planMaker.Gone,
        Provisions = _planMaker.Provisions.ByNamespace,
    };

    private static TimeSpan Whole(TimeSpan time) => TimeSpan.FromSeconds(Math.Round(time.TotalSeconds));
}
