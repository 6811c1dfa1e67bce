namespace LoadHarness.Coordinator.Fleet;

/// <summary>Room for the samples of one upload that wait to be stored, in bytes. One enters at a time; any thread may leave.</summary>
internal sealed class SampleRoom(long bytes)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _used;

    /// <summary>Waits for room. A sample that is larger than all of it comes in alone.</summary>
    public async Task EnterAsync(long size, CancellationToken cancel)
    {
        while (TryEnter(size) is { } left)
            await left.WaitAsync(cancel);
    }

    /// <summary>A sample is stored, or given up.</summary>
    public void Leave(long size)
    {
        TaskCompletionSource left;
        lock (_lock)
        {
            _used -= size;
            (left, _left) = (_left, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        left.SetResult();
    }

    private Task? TryEnter(long size)
    {
        lock (_lock)
        {
            if (_used > 0 && _used + size > bytes)
                return _left.Task;
            _used += size;
            return null;
        }
    }
}
