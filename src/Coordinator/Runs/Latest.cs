using System.Runtime.CompilerServices;

namespace LoadHarness.Coordinator.Runs;

/// <summary>A value that many watch. A slow watcher sees the newest value next and misses those between: nothing queues up.</summary>
public sealed class Latest<T>(T initial)
    where T : class
{
    private readonly Lock _lock = new();
    private T _value = initial;
    private TaskCompletionSource _changed = New();

    /// <summary>The newest value.</summary>
    public T Value
    {
        get
        {
            lock (_lock)
                return _value;
        }
    }

    /// <summary>Replaces the value and wakes every watcher.</summary>
    public void Set(T value)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _value = value;
            (changed, _changed) = (_changed, New());
        }

        changed.TrySetResult();
    }

    /// <summary>The present value at once, then each newer one, up to and including the first that is the last.</summary>
    public async IAsyncEnumerable<T> WatchAsync(Func<T, bool> isLast, [EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            T value;
            Task changed;
            lock (_lock)
                (value, changed) = (_value, _changed.Task);
            yield return value;
            if (isLast(value))
                yield break;
            await changed.WaitAsync(cancel);
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
