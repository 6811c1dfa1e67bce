using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Runs;

/// <summary>What has happened to a run so far. Members may be called from any thread.</summary>
/// <param name="keep">Called with the number, from 1, and the event, in order; returns at once.</param>
internal sealed class RunEvents(Action<int, RunEvent> keep)
{
    /// <summary>Beyond this many events of a run none is taken any more: something repeats itself, and the last one says so.</summary>
    public const int Most = 2000;

    /// <summary>As many are shown of a run that goes on.</summary>
    public const int Shown = 50;

    private readonly Lock _lock = new();
    private ImmutableList<RunEvent> _events = [];

    /// <summary>Oldest first.</summary>
    public ImmutableList<RunEvent> All => Volatile.Read(ref _events);

    /// <summary>The newest, oldest first.</summary>
    public ImmutableArray<RunEvent> Newest
    {
        get
        {
            var all = All;
            return [.. all.GetRange(Math.Max(0, all.Count - Shown), Math.Min(Shown, all.Count))];
        }
    }

    /// <summary>Takes an event.</summary>
    public void Add(RunEvent happened)
    {
        lock (_lock)
        {
            if (_events.Count >= Most)
                return;
            if (_events.Count == Most - 1)
                happened = happened with { Message = $"{happened.Message} (no further events of this run are kept)" };
            _events = _events.Add(happened);
            keep(_events.Count, happened);
        }
    }

    /// <summary>Begins with events of an earlier life of the coordinator; they are kept already.</summary>
    public void Restore(IEnumerable<RunEvent> events)
    {
        lock (_lock)
            _events = [.. events];
    }
}
