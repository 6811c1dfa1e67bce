using System.Collections.Concurrent;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Runs;

/// <summary>What users and agents want of a run's loop. Writers return at once; the loop looks when it wakes.</summary>
internal sealed class RunCommands(TimeProvider time)
{
    // Never disposed: it has no wait handle to give back, and whoever wakes it late must not fail.
    private readonly SemaphoreSlim _pulse = new(0, 1);
    private readonly Lock _lock = new();
    private readonly ConcurrentQueue<ScaleRequest> _scales = new();
    private readonly ConcurrentQueue<StormRequest> _storms = new();
    private readonly ConcurrentQueue<TaskCompletionSource<string>> _reports = new();
    private StopRequest? _stop;

    /// <summary>What the user wants; null while the run is to go on. Becomes immediate when it was not, never the reverse.</summary>
    public StopRequest? Stop
    {
        get
        {
            lock (_lock)
                return _stop;
        }
    }

    /// <summary>Asks the run to stop.</summary>
    public void RequestStop(StopRequest request)
    {
        lock (_lock)
            _stop = _stop is { Immediately: true } ? _stop : request;
        Wake();
    }

    /// <summary>Asks for another goal.</summary>
    public Task RequestScale(long goal, TimeSpan? over)
    {
        var request = new ScaleRequest(goal, over);
        _scales.Enqueue(request);
        Wake();
        return request.Done.Task;
    }

    /// <summary>The next goal asked for.</summary>
    public bool TryTakeScale(out ScaleRequest request) => _scales.TryDequeue(out request!);

    /// <summary>Asks for the report so far.</summary>
    public Task<string> RequestReport()
    {
        var asked = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _reports.Enqueue(asked);
        Wake();
        return asked.Task;
    }

    /// <summary>The next one who waits for a report.</summary>
    public bool TryTakeReport(out TaskCompletionSource<string> asked) => _reports.TryDequeue(out asked!);

    /// <summary>Nobody will look any more: whatever waits is refused.</summary>
    public void RefuseScales(RunRejectedException reason)
    {
        while (_scales.TryDequeue(out var request))
            request.Done.TrySetException(reason);
    }

    /// <summary>Asks for a reconnect storm.</summary>
    public Task RequestStorm(StormSpec storm)
    {
        var request = new StormRequest(storm);
        _storms.Enqueue(request);
        Wake();
        return request.Done.Task;
    }

    /// <summary>The next storm asked for.</summary>
    public bool TryTakeStorm(out StormRequest request) => _storms.TryDequeue(out request!);

    /// <summary>As <see cref="RefuseScales"/>.</summary>
    public void RefuseStorms(RunRejectedException reason)
    {
        while (_storms.TryDequeue(out var request))
            request.Done.TrySetException(reason);
    }

    /// <summary>Makes the loop look again.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            if (_pulse.CurrentCount == 0)
                _pulse.Release();
        }
    }

    /// <summary>Waits for something to look at, at most for a while.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, limit.Token);
        await _pulse.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancel.ThrowIfCancellationRequested();
    }
}

/// <summary>A user wants the run to end.</summary>
/// <param name="Immediately">Without a drain: RST.</param>
/// <param name="Reason">For people; empty when a user asked.</param>
internal sealed record StopRequest(bool Immediately, string Reason);

/// <summary>A user wants another goal.</summary>
/// <param name="Goal">Zero is a goal too.</param>
/// <param name="Over">How long the change takes; null: as the connect rate allows.</param>
internal sealed record ScaleRequest(long Goal, TimeSpan? Over)
{
    /// <summary>Completes once the change is out, or fails with <see cref="RunRejectedException"/>.</summary>
    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>A user wants a reconnect storm.</summary>
/// <param name="Storm">What is asked for.</param>
internal sealed record StormRequest(StormSpec Storm)
{
    /// <summary>Completes once it is out, or fails with <see cref="RunRejectedException"/>.</summary>
    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
