namespace LoadHarness.Coordinator.Cli;

/// <summary>What a user should be told while a run goes on. Any thread may add.</summary>
internal sealed class RunNotes
{
    private readonly Lock _gate = new();
    private readonly List<string> _notes = [];

    /// <summary>Raised for each note, on the thread that added it.</summary>
    public event Action<string>? Added;

    /// <summary>All of them, oldest first.</summary>
    public IReadOnlyList<string> All
    {
        get { lock (_gate) return [.. _notes]; }
    }

    public void Add(string note)
    {
        lock (_gate)
            _notes.Add(note);
        Added?.Invoke(note);
    }
}
