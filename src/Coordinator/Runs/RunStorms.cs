using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Runs;

/// <summary>The reconnect storms of a run. Only the run's own loop touches it.</summary>
/// <param name="timeline">What is measured; its lock is held meanwhile.</param>
internal sealed class RunStorms(Func<Func<Timeline, StormFacts?>, StormFacts?> timeline)
{
    private ImmutableArray<RunStorm> _storms = [];
    private int _judged;

    /// <summary>All, in order of time.</summary>
    public ImmutableArray<RunStorm> All => _storms;

    /// <summary>The newest one, when what it closed is not back yet; null otherwise.</summary>
    public RunStorm? Pending { get; private set; }

    /// <summary>One more.</summary>
    public RunStorm Add(TimeSpan at, StormSpec asked, long held)
    {
        Pending = new(_storms.Length + 1, at, asked.Fraction, asked.Within, asked.Close, held);
        _storms = _storms.Add(Pending);
        return Pending;
    }

    /// <summary>Begins with those of an earlier life of the coordinator.</summary>
    public void Restore(ImmutableArray<RunStorm> storms, bool pending)
    {
        _storms = storms;
        Pending = pending ? storms.LastOrDefault() : null;
    }

    /// <summary>The goal has changed: nobody waits for what was held before.</summary>
    public void GiveUp() => Pending = null;

    /// <summary>What became of the pending storm, once it has recovered; null before, and afterwards.</summary>
    public StormFacts? TakeRecovered()
    {
        if (Pending is not { } storm)
            return null;
        var facts = timeline(t => t.CompleteSeconds == _judged ? null : Judge(t, storm));
        if (facts?.RecoverySeconds is null)
            return null;
        Pending = null;
        return facts;
    }

    private StormFacts Judge(Timeline measured, RunStorm storm)
    {
        _judged = measured.CompleteSeconds;
        var from = (int)storm.At.TotalSeconds;
        var seconds = Enumerable.Range(from, Math.Max(0, _judged - from)).Select(measured.At);
        return StormReader.Read([storm], seconds, TimeSpan.MaxValue)[0];
    }
}
