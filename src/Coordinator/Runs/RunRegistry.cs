using System.Collections.Immutable;
using System.Globalization;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Store;

namespace LoadHarness.Coordinator.Runs;

/// <summary>The runs of this coordinator, those of its earlier lives included. Members may be called from any thread.</summary>
public sealed class RunRegistry : IAsyncDisposable
{
    /// <summary>Ended runs beyond this many are forgotten, the oldest first.</summary>
    public const int MostRuns = 1000;

    /// <summary>Runs that may go on at a time: one that waits for agents that never come costs something too.</summary>
    public const int MostLive = 200;

    private const int LongestRequestId = 128;
    private static readonly TimeSpan _storePatience = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly RunEnvironment _environment;
    private readonly OrphanDrain _orphans;
    private readonly Dictionary<string, Task<IRun>> _requests = new(StringComparer.Ordinal);
    private ImmutableList<IRun> _runs = [];
    private string? _ended;

    /// <summary>A registry with the runs that the store knows.</summary>
    /// <param name="agents">Who does the work.</param>
    /// <param name="store">What is kept.</param>
    /// <param name="log">For events of runs.</param>
    public RunRegistry(AgentRegistry agents, CoordinatorStore store, ILogger log)
    {
        _environment = new RunEnvironment(agents, store, new BlockLedger(), log);
        foreach (var (run, requestId) in RunHistory.Read(_environment, MostRuns))
        {
            _runs = _runs.Add(run);
            (run as RunController)?.StartAsync();
            if (requestId.Length > 0)
                _requests[requestId] = Task.FromResult(run);
        }

        _orphans = new OrphanDrain(agents, store, log);
    }

    /// <summary>Newest first.</summary>
    public ImmutableList<IRun> All => _runs;

    /// <summary>Makes a run and starts it. The same request twice makes one run.</summary>
    /// <param name="spec">Validated.</param>
    /// <param name="requestId">Made by the client; empty: every request is another one.</param>
    /// <exception cref="RunRejectedException">The run does not fit the agents that are there, or no record of it can be kept.</exception>
    public Task<IRun> CreateAsync(RunSpec spec, string requestId)
    {
        if (requestId.Length > LongestRequestId)
            throw new RunRejectedException(RunRejection.Invalid, [$"request_id of {requestId.Length} characters: at most {LongestRequestId} are allowed"]);
        lock (_lock)
        {
            if (requestId.Length > 0 && _requests.TryGetValue(requestId, out var before) && !before.IsFaulted)
                return before;
            if (_ended is { } reason)
                throw new RunRejectedException(RunRejection.Unavailable, [$"{reason} and takes no more runs; try again when it is back"]);
            if (_runs.Count(r => !r.Snapshot.Value.State.HasEnded()) >= MostLive)
            {
                throw new RunRejectedException(
                    RunRejection.WrongState, [$"{MostLive} runs go on already, which is the most; stop one of them (loadharness runs stop ID)"]);
            }

            var record = new RunRecord(requestId, _environment.Store, _environment.Registry.Clock.Time);
            var run = new RunController(NewId(), spec, record, _environment);
            _runs = _runs.Insert(0, run);
            var created = StartAsync(run, requestId);
            if (requestId.Length > 0)
                _requests[requestId] = created;
            Forget();
            return created;
        }
    }

    /// <summary>The arithmetic of a run over the agents that are there. It starts nothing and leaves nothing behind.</summary>
    /// <param name="spec">Validated.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RunRejectedException">The agents are not there, do not answer, or the request is wrong in itself.</exception>
    public Task<CapacityReport> PlanAsync(RunSpec spec, CancellationToken cancel) => new PlanPreview(spec, _environment).MakeAsync(cancel);

    /// <summary>A run.</summary>
    /// <param name="id">Empty: the latest one.</param>
    /// <exception cref="RunRejectedException">There is no such run.</exception>
    public IRun Get(string id)
    {
        var run = id.Length == 0 ? _runs.FirstOrDefault() : _runs.Find(r => r.RunId == id);
        return run ?? throw new RunRejectedException(RunRejection.Unknown,
        [
            id.Length == 0
                ? "there is no run yet; start one with `loadharness run`"
                : $"there is no run `{id}`; `loadharness runs list` shows those that there are",
        ]);
    }

    /// <summary>The latencies of a run by the interval, as far as they are complete; read as they are taken.</summary>
    /// <exception cref="RunRejectedException">What was measured last cannot be stored now.</exception>
    public async Task<IEnumerable<LatencyInterval>> LatenciesAsync(string runId, CancellationToken cancel)
    {
        var store = _environment.Store;
        try
        {
            await store.FlushAsync().WaitAsync(_storePatience, TimeProvider.System, cancel);
        }
        catch (Exception e) when (e is StoreException or TimeoutException)
        {
            throw new RunRejectedException(RunRejection.Unavailable,
                [$"what run {runId} has measured last is not stored yet: {store.Problem ?? "the disk is too slow"}; ask again later"]);
        }

        return store.Folds.Latencies(runId);
    }

    /// <summary>Stops every run that goes on, with a drain, and waits for their ends; no run is made any more.</summary>
    /// <param name="reason">For their reports.</param>
    /// <param name="cancel">Gives them up.</param>
    public async Task StopAllAsync(string reason, CancellationToken cancel)
    {
        lock (_lock)
            _ended = reason;
        foreach (var run in _runs)
            run.Stop(immediately: false, reason);
        await Task.WhenAll(_runs.Select(r => r.Ended)).WaitAsync(cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _orphans.Stop();
        foreach (var run in _runs.OfType<RunController>())
            await run.DisposeAsync();
    }

    private async Task<IRun> StartAsync(RunController run, string requestId)
    {
        try
        {
            await run.StartAsync();
            return run;
        }
        catch (RunRejectedException)
        {
            lock (_lock)
            {
                _runs = _runs.Remove(run);
                _requests.Remove(requestId);
            }

            await run.DisposeAsync();
            run.Forget();
            throw;
        }
    }

    private void Forget()
    {
        while (_runs.Count > MostRuns && _runs.FindLast(r => r.Snapshot.Value.State.HasEnded()) is { } oldest)
        {
            _runs = _runs.Remove(oldest);
            _environment.Store.Runs.DeleteAsync(oldest.RunId);
            foreach (var (request, created) in _requests.ToArray())
            {
                if (created.IsCompletedSuccessfully && created.Result == oldest)
                    _requests.Remove(request);
            }
        }
    }

    // Sorts by time; the tail tells runs of one second apart.
    private string NewId()
    {
        var now = _environment.Registry.Clock.Time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        while (true)
        {
            var id = $"{now}-{Random.Shared.Next(0x10000):x4}";
            if (_runs.TrueForAll(r => r.RunId != id))
                return id;
        }
    }
}
