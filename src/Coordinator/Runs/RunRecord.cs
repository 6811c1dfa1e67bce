using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Store;

namespace LoadHarness.Coordinator.Runs;

/// <summary>What the store is told of one run.</summary>
/// <param name="requestId">Of the request that made the run; may be empty.</param>
/// <param name="store">Where it goes.</param>
/// <param name="time">For the record.</param>
internal sealed class RunRecord(string requestId, CoordinatorStore store, TimeProvider time)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    private readonly RunSecrets _secrets = SecretsOf(store);
    private RunSnapshot? _saved;
    private byte[]? _conduct;

    /// <summary>Why nothing can be kept now, in words; null while it can.</summary>
    public string? Problem => store.Problem;

    /// <summary>Keeps a new run before anything is done for it.</summary>
    /// <exception cref="RunRejectedException">The store cannot take it: there is no run.</exception>
    public async Task CreateAsync(RunSnapshot run)
    {
        try
        {
            _saved = run;
            _secrets.Keep(run.Id, run.Spec);
            // The store lives on the machine's own time, whatever the clock of the runs is.
            await store.Runs.SaveAsync(ToRow(run)).WaitAsync(_patience, TimeProvider.System);
        }
        catch (Exception e) when (e is StoreException or TimeoutException or CredentialException)
        {
            _secrets.Remove(run.Id);
            throw new RunRejectedException(RunRejection.Unavailable,
                [$"the coordinator cannot keep a record of the run, so it does not begin one: {store.Problem ?? e.Message}"]);
        }
    }

    /// <summary>A run of an earlier life of the coordinator goes on.</summary>
    public void Begin(RunSnapshot run) => _saved = run;

    /// <summary>Keeps a run that has changed. Progress is not kept: it is in the samples. Events are kept one by one.</summary>
    public void Save(RunSnapshot run)
    {
        if (_saved is { } saved && (run with { Progress = saved.Progress, Events = saved.Events }) == saved)
            return;
        _saved = run;
        Observe(store.Runs.SaveAsync(ToRow(run)));
        if (run.State.HasEnded())
            _secrets.Remove(run.Id);
    }

    /// <summary>There is no such run after all.</summary>
    public void Forget(string runId)
    {
        _secrets.Remove(runId);
        Observe(store.Runs.DeleteAsync(runId));
    }

    /// <summary>Keys of the runs of a store.</summary>
    public static RunSecrets SecretsOf(CoordinatorStore store) => new(Path.Combine(store.Directory, "keys"));

    /// <summary>Keeps what an agent is to do and tells it so then. Revisions go out in the order of the calls.</summary>
    public void Assign(AgentState agent, AgentAssignment assignment) => store.Runs.AddRevision(
        new(assignment.RunId, agent.Id, assignment.Revision.Epoch, assignment.Revision.Number, WireTranslation.ToBytes(assignment)),
        time.GetUtcNow(),
        _ => agent.Assign(assignment));

    /// <summary>Keeps a sample.</summary>
    /// <returns>Completes when it is stored; fails with <see cref="StoreException"/>.</returns>
    public Task KeepAsync(string runId, AgentSample sample, byte[] bytes) => store.Runs.AddSampleAsync(
        new(runId, sample.AgentId, sample.Incarnation, sample.Sequence, sample.To, bytes));

    /// <summary>Keeps measurements in place of samples.</summary>
    public void Fold(string runId, MeasuredFold fold) => Observe(
        store.Folds.FoldAsync(runId, fold.Seconds, fold.BackendSeconds, fold.Intervals, StoredState.Write(fold.Checkpoint)));

    /// <summary>Keeps how a run is conducted, before its agents are told.</summary>
    public void Conduct(string runId, RunConduct conduct)
    {
        var bytes = StoredState.Write(conduct);
        if (_conduct is { } last && last.AsSpan().SequenceEqual(bytes))
            return;
        _conduct = bytes;
        Observe(store.Checkpoints.ConductAsync(runId, bytes));
    }

    /// <summary>Keeps an event.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="number">1, 2, 3, ... of the run.</param>
    /// <param name="happened">It.</param>
    public void AddEvent(string runId, int number, RunEvent happened) => Observe(store.Events.AddAsync(runId, number, happened));

    /// <summary>The run has ended: what was not folded is in no sum.</summary>
    public void DropSamples(string runId) => Observe(store.Folds.DropSamplesAsync(runId));

    /// <summary>A run as it was kept.</summary>
    /// <exception cref="System.Text.Json.JsonException">Its texts cannot be read.</exception>
    public static RunSnapshot FromRow(RunRow row) => new()
    {
        Id = row.Id,
        Spec = StoredText.ReadSpec(row.Spec),
        State = Enum.Parse<RunState>(row.State),
        Reason = row.Reason,
        CreateTime = row.CreatedAt,
        StartTime = row.StartedAt,
        EndTime = row.EndedAt,
        Plan = row.Plan is { } plan ? StoredText.ReadPlan(plan) : null,
        SummaryJson = row.Summary,
    };

    private RunRow ToRow(RunSnapshot run) => new(
        run.Id, requestId, StoredText.Write(run.Spec), run.State.ToString(), run.Reason, run.CreateTime, run.StartTime, run.EndTime,
        run.Plan is { } plan ? StoredText.Write(plan) : null, run.SummaryJson);

    // What went wrong is in the store's own log; the run goes on.
    private static void Observe(Task task) => task.ContinueWith(
        t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
}
