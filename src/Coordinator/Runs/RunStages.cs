using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;

namespace LoadHarness.Coordinator.Runs;

/// <summary>The stages of a run as they really were. A run that is scaled moves to its new goal and holds again.</summary>
internal sealed class RunStages(CoordinatorClock clock)
{
    private readonly List<Stage> _stages = [];

    /// <summary>Begins a stage and ends the one before.</summary>
    /// <param name="name">One of those that <see cref="StageSpan"/> names.</param>
    /// <param name="from">The goal at its start.</param>
    /// <param name="to">The goal at its end.</param>
    /// <param name="atNanos">When; null: now. Not before the stage before began.</param>
    public void Begin(string name, long from, long to, long? atNanos = null)
    {
        var at = Math.Max(atNanos ?? clock.Nanos, _stages.LastOrDefault()?.StartNanos ?? long.MinValue);
        Close(at);
        _stages.Add(new(name, from, to, at));
    }

    /// <summary>Ends the last stage.</summary>
    public void Close() => Close(clock.Nanos);

    /// <summary>The goal that was held longest; null when none was.</summary>
    public long? LongestHeldGoal => _stages.Where(s => s.Name == StageSpan.Hold)
        .GroupBy(s => s.To).MaxBy(g => g.Sum(s => s.Duration(clock.Nanos).Ticks))?.Key;

    /// <summary>All stages, on the run's own time.</summary>
    /// <param name="startNanos">The start instant; null when the run never started: then time counts from its first stage.</param>
    public ImmutableArray<StageSpan> Spans(long? startNanos)
    {
        var now = clock.Nanos;
        var origin = startNanos ?? _stages.FirstOrDefault()?.StartNanos ?? now;
        return
        [
            .. _stages.Select(s => new StageSpan(s.Name, s.From, s.To, CoordinatorClock.Between(origin, s.StartNanos), s.Duration(now))),
        ];
    }

    private void Close(long atNanos)
    {
        // A stage that was to begin later than the run ended has no length.
        if (_stages.LastOrDefault() is { EndNanos: null } last)
            last.EndNanos = Math.Max(atNanos, last.StartNanos);
    }

    private sealed record Stage(string Name, long From, long To, long StartNanos)
    {
        public long? EndNanos { get; set; }

        public TimeSpan Duration(long now) => CoordinatorClock.Between(StartNanos, EndNanos ?? Math.Max(now, StartNanos));
    }
}
