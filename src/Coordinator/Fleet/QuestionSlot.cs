namespace LoadHarness.Coordinator.Fleet;

/// <summary>
/// A question to an agent and whoever waits for its answer. Not safe for several threads, but for <see cref="Turn"/>: its session's lock guards it.
/// </summary>
/// <typeparam name="TAnswer">What the agent answers.</typeparam>
internal sealed class QuestionSlot<TAnswer>
{
    private TaskCompletionSource<TAnswer>? _waiting;
    private object? _unsent;
    private ulong _asked;

    /// <summary>Held by who asks, so that a second one waits until the first has its answer or has given up. Never disposed: it has no wait handle to give back.</summary>
    public SemaphoreSlim Turn { get; } = new(1, 1);

    /// <summary>Readies a question to be sent, in place of one that was given up.</summary>
    /// <param name="make">Makes it from its number.</param>
    /// <returns>The answer; cancelled by <see cref="Cancel"/>.</returns>
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
