using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Something that a user should be told while a run goes on.</summary>
/// <param name="Text">One line.</param>
/// <param name="Details">What a program wrote, say; lines that a picture has no room for.</param>
internal sealed record RunNote(string Text, ImmutableArray<string> Details);

/// <summary>Notes in the order in which they came. Any thread may add.</summary>
internal sealed class RunNotes
{
    private readonly Lock _gate = new();
    private readonly List<RunNote> _notes = [];
    private Action<RunNote>? _taker;

    /// <summary>All of them, oldest first.</summary>
    public ImmutableArray<RunNote> All
    {
        get { lock (_gate) return [.. _notes]; }
    }

    public void Add(string text, params ImmutableArray<string> details)
    {
        var note = new RunNote(text, details);
        lock (_gate)
        {
            _notes.Add(note);
            _taker?.Invoke(note);
        }
    }

    /// <summary>Passes on what there is and everything that comes, one at a time, until the result is disposed.</summary>
    public IDisposable PassTo(Action<RunNote> taker)
    {
        lock (_gate)
        {
            _notes.ForEach(taker);
            _taker = taker;
        }

        return new Ending(this);
    }

    private sealed class Ending(RunNotes notes) : IDisposable
    {
        public void Dispose()
        {
            lock (notes._gate)
                notes._taker = null;
        }
    }
}
