using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Runs;

public sealed partial class RunController
{
    private void Conclude(RunEnd end)
    {
        foreach (var member in _roster.Everyone.Concat(_backends.Members).Where(m => m.Lost is null))
            _measurements.Finish(member.Agent.Id, member.DrainedAt ?? Elapsed);
        var summary = _measurements.Read((timeline, backends) => SummaryBuilder.Build(InputOf(end, timeline, backends)));
        var json = SummaryJson.Write(RunVerdict.Judge(summary, end.Ending));
        _record.Fold(RunId, _measurements.TakeFold(atEnd: true)!);
        Publish(s => s with { SummaryJson = json });
        Enter(end.State, end.Reason);
        // After the end was kept: without these the run could not be taken up again.
        _record.DropSamples(RunId);
    }

    /// <inheritdoc/>
    public async Task<string> ReportAsync()
    {
        if (_snapshot.Value.SummaryJson is { } json)
            return json;
        var asked = _commands.RequestReport();
        // The run may have ended between the look and the request: then nobody answers it.
        if (_snapshot.Value.State.HasEnded())
            AnswerReports();
        return await asked;
    }

    private void AnswerReports()
    {
        while (_commands.TryTakeReport(out var asked))
        {
            try
            {
                asked.TrySetResult(_snapshot.Value.SummaryJson ?? Interim());
            }
            catch (Exception e)
            {
                asked.TrySetException(e);
            }
        }
    }

    // Of copies: summing up closes a timeline.
    private string Interim()
    {
        var state = _snapshot.Value.State;
        if (state.HasEnded())
            throw RunRejectedException.NoReport(RunId, _snapshot.Value.Reason);
        var (timeline, backends) = _measurements.Copy();
        var input = InputOf(new(RunEnding.Internal, _snapshot.Value.Reason), timeline, backends) with
        {
            GoesOnAs = state.ToString().ToLowerInvariant(),
            Duration = Elapsed,
        };
        return SummaryJson.Write(SummaryBuilder.Build(input));
    }

    private SummaryInput InputOf(RunEnd end, Timeline timeline, BackendTimeline backends) => new()
    {
        RunId = RunId,
        Name = _spec.Name,
        Ending = end.Ending,
        Reason = end.Reason,
        StartedAt = _snapshot.Value.StartTime,
        Duration = _startNanos is null ? TimeSpan.Zero : _drained,
        Stages = _stages.Spans(_startNanos),
        Destinations = _plan?.Destinations ?? DestinationCounts.Destinations(_spec.Targets),
        UnresolvedTargets = _plan is null ? [.. _spec.Targets.Where(t => t.IsAskedOfAgents).Select(t => t.Text)] : [],
        Goal = GoalHeld,
        ChurnPerSecond = TupleDemand.Of(_spec with { Connections = Math.Max(1, GoalHeld) }).ChurnRate(GoalHeld),
        Agents = [.. _roster.Everyone.Where(m => m.Plan is not null).Select(SummaryAgentOf)],
        BackendAgents = [.. _backends.Members.Select(SummaryAgentOf)],
        Backends = _spec.Backends > 0 ? backends : null,
        Notes = [.. _measurements.Notes.Select(n => n.Finding.Message)],
        Storms = _measurements.Storms.All,
        Events = [.. _measurements.Events.All],
        Timeline = timeline,
    };

    private long GoalHeld => _stages.LongestHeldGoal ?? (_plan is { Agents.IsEmpty: false } plan ? plan.Goal : _asked);

    private DateTimeOffset? StartedAt() => _startNanos is null ? null : _clock.Time.GetUtcNow() - Elapsed;

    private static SummaryAgent SummaryAgentOf(RunMember member)
    {
        var inventory = member.Agent.Hello.Inventory;
        return new(member.Agent.Id, inventory.Hostname, inventory.NetworkNamespace, member.LargestShare, member.Lost is not null,
            inventory.MaxTimeWaitBuckets);
    }
}
