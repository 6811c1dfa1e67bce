namespace LoadHarness.Agent.Backend;

/// <summary>The accepting side on its own: <see cref="BackendReactors"/> with a thread that looks after them.</summary>
public sealed class BackendServer : IDisposable
{
    private readonly BackendReactors _reactors;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Lock _gate = new();
    private Thread? _watcher;
    private BackendCounts _counts;
    private bool _disposed;

    /// <summary>A backend that does nothing before <see cref="Start"/>.</summary>
    public BackendServer(BackendOptions options) => _reactors = new(options);

    /// <summary>What has been seen so far; not much older than 0.1 s, whatever the load.</summary>
    public BackendCounts Counts
    {
        get { lock (_gate) return _counts; }
    }

    /// <summary>Listens on every endpoint.</summary>
    /// <exception cref="InvalidOperationException">An endpoint cannot be listened on; the message names it and the remedy.</exception>
    public void Start()
    {
        _reactors.Start();
        _watcher = new Thread(Watch) { Name = "backend-watch", IsBackground = true };
        _watcher.Start();
    }

    /// <summary>Ends the counting; from then on <see cref="Counts"/> is what had been seen at that moment. Connections stay open.</summary>
    public void StopCounting()
    {
        _stop.Set();
        _watcher?.Join();
    }

    /// <summary>Closes every connection and listener.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        StopCounting();
        _reactors.Dispose();
        _stop.Dispose();
    }

    private void Watch()
    {
        while (!_stop.Wait(BackendReactors.LookEvery))
            Look(BackendReactors.Patience);
        // What a busy reactor still owes is older than this moment.
        Look(TimeSpan.MaxValue);
        Look(TimeSpan.MaxValue);
    }

    private void Look(TimeSpan patience)
    {
        _reactors.Look(patience);
        lock (_gate)
            _counts = _reactors.Counts;
    }
}
