namespace LoadHarness.Coordinator.Fleet;

/// <summary>
/// A question to an agent and whoever waits for its answer; a newer question takes the place of one that was not answered yet. Not safe
/// for several threads: its session's lock guards it.
/// </summary>
/// <typeparam name="TAnswer">What the agent answers.</typeparam>
internal sealed class QuestionSlot<TAnswer>
{
    private TaskCompletionSource<TAnswer>? _waiting;
    private object? _unsent;
    private ulong _asked;

    /// <summary>Readies a question to be sent.</summary>
    /// <param name="make">Makes it from its number.</param>
    /// <returns>The answer; cancelled when another question takes its place, or by <see cref="Cancel"/>.</returns>
    public Task<TAnswer> Ask(Func<ulong, object> make)
    {
        Cancel();
        // Whoever waits goes on elsewhere, never under the lock of the session.
        _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _unsent = make(++_asked);
        return _waiting.Task;
    }

    /// <summary>What is to be sent, once; null when there is nothing.</summary>
    public object? Take()
    {
        var question = _unsent;
        _unsent = null;
        return question;
    }

    /// <summary>Takes an answer. One to a question that nobody waits for any more is passed over.</summary>
    public void Answer(ulong id, TAnswer answer)
    {
        if (id == _asked)
            _waiting?.TrySetResult(answer);
    }

    /// <summary>Nobody will answer any more.</summary>
    public void Cancel() => _waiting?.TrySetCanceled();
}
