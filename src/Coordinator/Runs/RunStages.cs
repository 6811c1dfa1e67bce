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
        End(at);
        _stages.Add(new(name, from, to, at));
    }

    /// <summary>Whether the last stage is of this name.</summary>
    public bool IsIn(string name) => _stages.LastOrDefault()?.Name == name;

    /// <summary>Ends the last stage.</summary>
    /// <param name="atNanos">When; null: now.</param>
    public void Close(long? atNanos = null) => End(atNanos ?? clock.Nanos);

    /// <summary>All stages, to be kept.</summary>
    public ImmutableArray<StageConduct> Kept => [.. _stages.Select(s => new StageConduct(s.Name, s.From, s.To, s.StartNanos, s.EndNanos))];

    /// <summary>Goes on where an earlier life of the coordinator was.</summary>
    /// <param name="stages">What it kept.</param>
    public void Restore(IEnumerable<StageConduct> stages) =>
        _stages.AddRange(stages.Select(s => new Stage(s.Name, s.From, s.To, s.StartNanos) { EndNanos = s.EndNanos }));

    /// <summary>The clock counts from another instant now.</summary>
    /// <param name="nanos">What it says more than before.</param>
    public void Shift(long nanos)
    {
        var shifted = Kept.Select(s => s with { StartNanos = s.StartNanos + nanos, EndNanos = s.EndNanos + nanos }).ToList();
        _stages.Clear();
        Restore(shifted);
    }

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

    private void End(long atNanos)
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
