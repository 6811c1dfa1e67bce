using System.Collections.Immutable;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Provisioning;
using LoadHarness.Agent.Safety;
using LoadHarness.V1;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Agent.Assignments;

/// <summary>
/// Converges on the newest assignment, on a plain thread of its own: starts and adjusts reactors, takes a sample each second
/// of elapsed time, drains. One run at a time.
/// </summary>
public sealed class AssignmentRunner : IAssignmentRunner, IDisposable
{
    // How long the answer to another run's assignment stands before this run's own status takes its place again.
    private const long AnswerNanos = 1_000_000_000;

    private readonly CoordinatorClock _clock;
    private readonly Lease _lease;
    private readonly AgentPolicy _policy;
    private readonly AllowTable _allowed;
    private readonly Action<AgentSample> _onSample;
    private readonly SourceProvisioner? _provisioner;
    private readonly Func<MemoryReading?> _readMemory;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private readonly AssignmentInbox _inbox;
    private readonly Lock _gate = new();
    private readonly bool _privateTables = DescriptorTable.UnshareErrno == 0;
    private readonly LogBudget _refusals = new();
    private AssignmentStatus? _status;
    private volatile string? _store;

    // The rest belongs to the runner's own thread.
    private ActiveRun? _run;
    private long _ownStatusNanos;

    /// <summary>Starts the runner's thread.</summary>
    /// <param name="clock">Maps start instants onto this host's clock.</param>
    /// <param name="lease">Looked at by every reactor before it paces.</param>
    /// <param name="policy">What this agent's user lets it do.</param>
    /// <param name="onSample">Takes each sample; called on the runner's thread.</param>
    /// <param name="loggers">For what goes wrong.</param>
    /// <param name="lookup">Asked again what the names in an assignment mean; null: this host's resolver.</param>
    /// <param name="provisioner">Adds sources to this host; null: nothing may be added.</param>
    /// <param name="readMemory">Asked ten times a second what memory is left; null: this host.</param>
    public AssignmentRunner(
        CoordinatorClock clock,
        Lease lease,
        AgentPolicy policy,
        Action<AgentSample> onSample,
        ILoggerFactory loggers,
        NameLookup? lookup = null,
        SourceProvisioner? provisioner = null,
        Func<MemoryReading?>? readMemory = null)
    {
        _clock = clock;
        _lease = lease;
        _policy = policy;
        _allowed = policy.AllowList.ToTable();
        _inbox = new AssignmentInbox(lookup ?? NameLookup.OfHost);
        _onSample = onSample;
        _provisioner = provisioner;
        _readMemory = readMemory ?? MemoryWatch.ReadHost;
        _log = loggers.CreateLogger<AssignmentRunner>();
        _thread = new Thread(Run) { Name = "assignments", IsBackground = true };
        _thread.Start();
    }

    /// <inheritdoc/>
    public event Action? StatusChanged;

    /// <inheritdoc/>
    public AssignmentStatus? Status
    {
        get { lock (_gate) return _status; }
    }

    /// <inheritdoc/>
    public string? WorksForStore => _store;

    /// <inheritdoc/>
    public void Apply(Assignment assignment) => _inbox.Put(assignment);

    /// <inheritdoc/>
    public void Drain(string reason) => _inbox.Drain(reason);

    /// <summary>Closes everything at once and ends the thread.</summary>
    public void Dispose()
    {
        _inbox.Stop();
        if (_thread != Thread.CurrentThread)
            _thread.Join();
    }

    private void Run()
    {
        while (_inbox.Next(_run?.UntilTick() ?? Timeout.InfiniteTimeSpan, out var assignment, out var drain))
        {
            try
            {
                if (assignment is not null)
                    Converge(assignment);
                if (drain is not null)
                    DrainLocally(drain);
                Tick();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Fail(e);
            }

            if (_run is null)
                _inbox.ReleaseDrain();
        }

        EndRun();
    }

    private void Converge(Assignment assignment)
    {
        var isOurs = _run?.Assignment.RunId == assignment.RunId;
        if (isOurs && assignment.StoreId != _run!.Assignment.StoreId)
        {
            RefuseStranger(assignment);
            return;
        }

        if (_run is null || isOurs)
            _inbox.SetNewestOfRun(assignment);
        if (assignment.Phase == Phase.Drained && !isOurs)
            Publish(assignment, Phase.Drained);
        else if (assignment.Phase == Phase.Drained)
            Follow(assignment, _run!.Drain);
        else if (isOurs && _run!.IsDraining)
            Follow(assignment, _run.Note);
        else if (AssignmentCheck.Check(assignment, _run?.Assignment, _policy, Provide) is { } refusal)
            Refuse(assignment, refusal);
        else
            Take(assignment);
    }

    private void Take(Assignment assignment)
    {
        var startNanos = _clock.ToBoottimeNanos(assignment.StartNanos ?? 0);
        if (assignment.Phase == Phase.Running && StartCheck.Check(startNanos, Clock.BoottimeNanos) is { } untimely)
        {
            Refuse(assignment, untimely);
            return;
        }

        var run = _run ??= new ActiveRun(assignment, _lease, _allowed, _policy.ListenAddresses, _privateTables, _onSample, _readMemory);
        _store = run.Assignment.StoreId;
        if (run.Prepare(assignment) is { } unmet)
        {
            Refuse(assignment, unmet);
            return;
        }

        if (assignment.Phase == Phase.Running)
            run.Run(startNanos);
        Publish(assignment, run.Phase);
    }

    private void Follow(Assignment assignment, Action<Assignment> how)
    {
        how(assignment);
        Publish(assignment, _run!.Phase);
    }

    // A refused first assignment leaves nothing behind; a refused change leaves the run as it was.
    private void Refuse(Assignment assignment, AssignmentRefusal refusal)
    {
        if (_refusals.TryTake(Clock.MonotonicNanos, out var leftOut))
            _log.Refused(assignment.RunId, assignment.Revision.ToString(), refusal.Field, refusal.Message, leftOut);
        if (_run is null or { Phase: Phase.Unspecified })
            EndRun();
        Publish(assignment, Phase.Unspecified, refusal);
    }

    // A coordinator on another store may use the same words for its runs; it neither changes nor ends this one.
    private void RefuseStranger(Assignment assignment) => Publish(assignment, Phase.Unspecified, new("store_id", "store",
        $"this agent works for run {assignment.RunId} out of store {_run!.Assignment.StoreId}; it is free for another one when that run has ended"));

    private void DrainLocally(string reason)
    {
        if (_run is null)
            return;
        _log.DrainingLocally(_run.Assignment.RunId, reason);
        _run.Drain(_run.Assignment.DrainTimeout);
    }

    private void Tick()
    {
        if (_run is null)
            return;
        var over = _run.Tick();
        if (over)
        {
            var (assignment, findings) = (_run.Assignment, _run.Findings(_privateTables));
            EndRun();
            Publish(assignment, Phase.Drained, findings: findings);
            return;
        }

        PublishProgress();
    }

    private void EndRun()
    {
        _run?.Dispose();
        (_run, _store) = (null, null);
        _provisioner?.Release();
    }

    private AssignmentRefusal? Provide(Assignment assignment)
    {
        if (assignment.Provision.IsEmpty)
            return null;
        var refusal = _provisioner is null
            ? new ProvisionRefusal("allow-provision", "this agent adds no addresses to its host")
            : _provisioner.Provide(assignment.Provision, () => _inbox.HasNews);
        return refusal is null ? null : new("provision", refusal.Rule, refusal.Message);
    }

    private void Fail(Exception e)
    {
        _log.RunFailed(e, _run?.Assignment.RunId ?? "");
        var assignment = _run is null || _run.Assignment.RunId == _inbox.Taken?.RunId ? _inbox.Taken : _run.Assignment;
        EndRun();
        if (assignment is not null)
            Publish(assignment, Phase.Drained, new("assignment", "internal", $"the agent could not carry this assignment out: {e.Message}"));
    }

    private void PublishProgress()
    {
        if (Status is not { } before)
            return;
        if (before.RunId != _run!.Assignment.RunId || before.StoreId != _run.Assignment.StoreId)
        {
            // The answer to another run's assignment was told long enough ago.
            if (Clock.BoottimeNanos >= _ownStatusNanos)
                Publish(_run.Assignment, _run.Phase);
            return;
        }

        var findings = _run.Findings(_privateTables);
        var (empty, gone) = (_run.EmptyBlocks, _run.GoneSources);
        var news = !findings.SequenceEqual(before.Findings) || !empty.SequenceEqual(before.EmptyBlocks) || !gone.SequenceEqual(before.GoneSources);
        Publish(
            before with { Held = _run.Held, Findings = findings, EmptyBlocks = empty, GoneSources = gone, StartNanos = _run.StartNanos },
            raise: news);
    }

    private void Publish(Assignment assignment, Phase phase, AssignmentRefusal? refusal = null, ImmutableArray<AgentFinding> findings = default)
    {
        _ownStatusNanos = Clock.BoottimeNanos + AnswerNanos;
        var status = new AssignmentStatus
        {
            RunId = assignment.RunId,
            Revision = assignment.Revision,
            StoreId = assignment.StoreId,
            Phase = phase,
            Refused = refusal,
            Held = _run?.Held ?? 0,
            Findings = findings.IsDefault ? _run?.Findings(_privateTables) ?? [] : findings,
            ClockUncertaintyNanos = _clock.UncertaintyNanos,
            StartNanos = _run?.Assignment.RunId == assignment.RunId ? _run.StartNanos : null,
            EmptyBlocks = _run?.EmptyBlocks ?? [],
            GoneSources = _run?.GoneSources ?? [],
        };
        Publish(status, raise: true);
    }

    private void Publish(AssignmentStatus status, bool raise)
    {
        lock (_gate)
            _status = status;
        if (!raise)
            return;
        try
        {
            StatusChanged?.Invoke();
        }
        catch (Exception e)
        {
            _log.TellingFailed(e, status.RunId);
        }
    }
}
