namespace LoadHarness.Coordinator.Store;

/// <summary>One thing to write, whole or not at all.</summary>
/// <param name="Apply">Executes its statements; may be called again when the group that it was in could not be committed.</param>
/// <param name="Done">Called once, on the writer's thread and in the order of the queue; returns at once.</param>
internal sealed record StoreWrite(Action<StoreCommands> Apply, Action<WriteOutcome> Done)
{
    /// <summary>It does not wait for a store that cannot write: then <see cref="Done"/> is called first, and it is written later.</summary>
    public bool CannotWait { get; init; }

    private bool _done;

    /// <summary>Calls <see cref="Done"/> unless that has happened.</summary>
    public void Complete(WriteOutcome outcome)
    {
        if (_done)
            return;
        _done = true;
        Done(outcome);
    }
}

/// <summary>What became of a write.</summary>
/// <param name="Problem">Null: it is stored. Otherwise why it is not.</param>
internal readonly record struct WriteOutcome(StoreException? Problem)
{
    /// <summary>It is stored.</summary>
    public static WriteOutcome Stored => default;
}
