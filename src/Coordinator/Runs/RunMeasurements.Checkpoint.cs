using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Runs;

internal sealed partial class RunMeasurements
{
    /// <summary>What has changed since the last fold, without folding samples: agents came or went, for one.</summary>
    public MeasuredFold TakeCheckpoint()
    {
        lock (_lock)
            return Fold([]);
    }

    /// <summary>Goes on where an earlier life of the coordinator was. Only one that has measured nothing yet can.</summary>
    /// <param name="checkpoint">The newest that was kept.</param>
    /// <param name="seconds">Of the clients, as they were kept with it.</param>
    /// <param name="backendSeconds">Of the backends, likewise.</param>
    /// <param name="events">All that were kept.</param>
    public void Restore(
        MeasurementsCheckpoint checkpoint, IEnumerable<SecondTotals> seconds, IEnumerable<SecondTotals> backendSeconds,
        IEnumerable<RunEvent> events)
    {
        lock (_lock)
        {
            _timeline.Restore(checkpoint.Clients, seconds);
            _backendTimeline.Timeline.Restore(checkpoint.Backends, backendSeconds);
            _backendTimeline.Restore(checkpoint.BackendsHeld, checkpoint.DrainFrom);
            _members.UnionWith(checkpoint.MemberIds);
            _backends.UnionWith(checkpoint.BackendIds);
            _notes = checkpoint.Notes;
            _noted.UnionWith(_notes.Select(n => (n.AgentId, n.Finding.Subject)));
            (_shrinking, _folded, _published) = (checkpoint.Shrinking, checkpoint.Folded, checkpoint.Clients.CompleteSeconds);
            _events.Restore(events);
        }
    }

    /// <summary>Takes a sample that the store had not folded: it may be in the sums of the checkpoint or not, and is in no fold.</summary>
    public void AddUnfolded(AgentSample sample)
    {
        lock (_lock)
        {
            var ofBackend = _backends.Contains(sample.AgentId);
            if (!ofBackend && !_members.Contains(sample.AgentId))
                return;
            var outcome = ofBackend ? _backendTimeline.Add(sample) : _timeline.Add(sample);
            if (outcome != SampleOutcome.OutOfRange)
                _fold.Add(sample, ofBackend);
        }
    }

    /// <summary>The newest sample of each process life of an agent that is in the sums.</summary>
    public ImmutableArray<(string Incarnation, ulong Sequence)> NewestOf(string agentId)
    {
        lock (_lock)
            return [.. TimelineOf(agentId).NewestOf(agentId)];
    }

    /// <summary>The last second with a report, exclusive; zero when there is none.</summary>
    public TimeSpan LastReport
    {
        get
        {
            lock (_lock)
                return _timeline.Agents.Max(a => a.NewestAt) ?? TimeSpan.Zero;
        }
    }

    /// <summary>Copies of the timelines, to be summed up while the run goes on.</summary>
    public (Timeline Clients, BackendTimeline Backends) Copy()
    {
        lock (_lock)
            return (_timeline.Copy(), _backendTimeline.Copy());
    }

    // The seconds are those of this very moment: a checkpoint without them would lose what changed in between.
    private MeasuredFold Fold(ImmutableArray<FoldedInterval> intervals) => new(
        _timeline.TakeChanged(), _backendTimeline.Timeline.TakeChanged(), intervals, new MeasurementsCheckpoint
        {
            Clients = _timeline.Checkpoint(_timeline.CompleteSeconds),
            Backends = _backendTimeline.Timeline.Checkpoint(_backendTimeline.Timeline.CompleteSeconds),
            BackendsHeld = _backendTimeline.Held,
            DrainFrom = _backendTimeline.DrainFrom,
            MemberIds = [.. _members],
            BackendIds = [.. _backends],
            Notes = _notes,
            Shrinking = _shrinking,
            Folded = _folded,
        });
}
