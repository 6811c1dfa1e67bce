using LoadHarness.Agent.Preflight;
using LoadHarness.V1;

namespace LoadHarness.Agent.Assignments;

/// <summary>
/// What other threads want of the runner: the newest assignment, a local reason to drain, its end. An assignment with names to
/// look up is handed over once there are answers; the run in hand goes on meanwhile.
/// </summary>
/// <param name="lookup">Asked what names mean.</param>
internal sealed class AssignmentInbox(NameLookup lookup)
{
    // Monitor.Wait takes no more than 24 days; whoever waits looks again.
    private static readonly TimeSpan _longestWait = TimeSpan.FromHours(1);

    private readonly object _gate = new();
    private Assignment? _newest;
    private Assignment? _newestOfRun;

    // The newest, as long as the answers for its names are being waited for.
    private Assignment? _resolving;
    private bool _isResolverUp;
    private string? _drainReason;
    private bool _drainTaken;
    private bool _stopping;

    /// <summary>The assignment that was handed over last; for the runner's thread.</summary>
    public Assignment? Taken { get; private set; }

    /// <summary>Whether there is something that <see cref="Next"/> would hand over at once.</summary>
    public bool HasNews
    {
        get
        {
            lock (_gate)
                return IsNewestReady || (_drainReason is not null && !_drainTaken) || _stopping;
        }
    }

    private bool IsNewestReady => !ReferenceEquals(_newest, Taken) && _resolving is null;

    /// <summary>Leaves an assignment; one that is known, or older, changes nothing.</summary>
    public void Put(Assignment assignment)
    {
        lock (_gate)
        {
            if (IsKnown(assignment, _newest) || IsKnown(assignment, _newestOfRun))
                return;
            _newest = assignment;
            _resolving = null;
            if (assignment.Phase != Phase.Drained && NameCheck.NamesOf(assignment).Length > 0)
                ResolveSoon(assignment);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>
    /// Remembers the newest of the run in hand: what comes late about it is known as such even when an assignment of another run
    /// came in between.
    /// </summary>
    public void SetNewestOfRun(Assignment assignment)
    {
        lock (_gate)
            _newestOfRun = assignment;
    }

    /// <summary>Leaves a reason to drain; returns when everything is closed, or the runner ends.</summary>
    public void Drain(string reason)
    {
        lock (_gate)
        {
            _drainReason = reason;
            // What still waits for its names is not begun after all.
            if (_resolving is not null)
                (_newest, _resolving) = (Taken, null);
            Monitor.PulseAll(_gate);
            while (_drainReason is not null && !_stopping)
                Monitor.Wait(_gate);
        }
    }

    /// <summary>Lets those go that wait for a drain: everything is closed.</summary>
    public void ReleaseDrain()
    {
        lock (_gate)
        {
            _drainReason = null;
            _drainTaken = false;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Ends the runner.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits for an assignment or a reason to drain, and hands them over.</summary>
    /// <param name="wait">At most so long; it may return earlier with nothing.</param>
    /// <param name="assignment">Null when there is no new one.</param>
    /// <param name="drain">Null when there is no new reason.</param>
    /// <returns>False when the runner is to end.</returns>
    public bool Next(TimeSpan wait, out Assignment? assignment, out string? drain)
    {
        lock (_gate)
        {
            if (!IsNewestReady && (_drainReason is null || _drainTaken) && !_stopping)
                Monitor.Wait(_gate, wait >= TimeSpan.Zero && wait < _longestWait ? wait : _longestWait);
            assignment = IsNewestReady ? _newest : null;
            drain = _drainTaken ? null : _drainReason;
            Taken = assignment ?? Taken;
            _drainTaken = _drainReason is not null;
            return !_stopping;
        }
    }

    private static bool IsKnown(Assignment assignment, Assignment? known) =>
        known?.RunId == assignment.RunId && known.StoreId == assignment.StoreId && !assignment.Revision.IsNewerThan(known.Revision);

    // One thread, however many assignments come: it looks for the newest one when it has an answer.
    private void ResolveSoon(Assignment assignment)
    {
        _resolving = assignment;
        if (_isResolverUp)
            return;
        _isResolverUp = true;
        new Thread(ResolveNewest) { IsBackground = true, Name = "names" }.Start();
    }

    private void ResolveNewest()
    {
        while (NextToResolve() is { } assignment)
        {
            var answers = lookup.Resolve(NameCheck.NamesOf(assignment));
            lock (_gate)
            {
                // Another one may have come in between.
                if (!ReferenceEquals(_resolving, assignment))
                    continue;
                _newest = assignment with { Names = [.. answers] };
                _resolving = null;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private Assignment? NextToResolve()
    {
        lock (_gate)
        {
            _isResolverUp = _resolving is not null;
            return _resolving;
        }
    }
}
