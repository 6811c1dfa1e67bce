namespace LoadHarness.Agent.Workloads;

/// <summary>
/// The open model as arithmetic: request k is due at start + k / rate, whatever became of those before it. A backlog is the difference of
/// two numbers and takes no room, and each of its requests keeps the instant that it was due at (as wrk2 does).
/// </summary>
/// <param name="startNanos">When request 0 is due.</param>
/// <param name="perSecond">Rate; 0: none is ever due.</param>
internal struct OpenSchedule(long startNanos, double perSecond)
{
    private long _startNanos = startNanos;
    private long _due;
    private long _taken;

    // What waited when the rate changed has the numbers below 0, spread evenly from its oldest to the change.
    private long _before;
    private long _oldestNanos;
    private long _changedNanos;

    /// <summary>Rate.</summary>
    public double PerSecond { get; private set; } = perSecond;

    /// <summary>Requests that are due and not taken.</summary>
    public readonly long Waiting => _due - _taken;

    /// <summary>Lets time pass.</summary>
    /// <returns>Requests that have become due.</returns>
    public long Advance(long nowNanos)
    {
        var due = Math.Max(_due, DueAt(nowNanos));
        var more = due - _due;
        _due = due;
        return more;
    }

    /// <summary>
    /// Lets time pass, and has another rate from now on. The oldest of those that wait keeps its instant, and so do the others as nearly as an even
    /// rate between can tell.
    /// </summary>
    /// <returns>Requests that have become due at the old rate.</returns>
    public long Change(double perSecond, long nowNanos)
    {
        var more = Advance(nowNanos);
        if (perSecond == PerSecond)
            return more;
        (_oldestNanos, _before) = (Waiting > 0 ? InstantOf(_taken) : nowNanos, Waiting);
        (_taken, _due, _changedNanos) = (-_before, 0, nowNanos);
        // The next one comes one interval from now.
        _startNanos = nowNanos + (perSecond > 0 ? (long)(1e9 / perSecond) : 0);
        PerSecond = perSecond;
        return more;
    }

    /// <summary>Takes the request that has waited longest; one must wait.</summary>
    /// <returns>When it was due.</returns>
    public long Take() => InstantOf(_taken++);

    /// <summary>Gives up those that wait and were due by an instant.</summary>
    /// <returns>How many.</returns>
    public long GiveUpBefore(long nanos)
    {
        var given = Math.Clamp(PassedAt(nanos) - _taken, 0, Waiting);
        _taken += given;
        return given;
    }

    /// <summary>When the next one will be due; <see cref="long.MaxValue"/>: never.</summary>
    public readonly long NextNanos => PerSecond > 0 ? InstantOf(_due) : long.MaxValue;

    private readonly long DueAt(long nowNanos)
    {
        if (!(PerSecond > 0) || nowNanos < _startNanos)
            return 0;
        // Rounding may be one off; what says when each is due says how many are, or the next one's instant would come and it would not be due.
        var due = (long)((nowNanos - _startNanos) * PerSecond / 1e9) + 1;
        if (InstantOf(due) <= nowNanos)
            return due + 1;
        return InstantOf(due - 1) <= nowNanos ? due : due - 1;
    }

    // The first number that was due later.
    private readonly long PassedAt(long nanos)
    {
        if (_before == 0 || nanos >= _changedNanos)
            return DueAt(nanos);
        return nanos < _oldestNanos ? -_before : Math.Min(0, (long)((nanos - _oldestNanos) * (double)_before / (_changedNanos - _oldestNanos)) + 1 - _before);
    }

    private readonly long InstantOf(long number)
    {
        if (number < 0)
            return _oldestNanos + (long)Math.Ceiling((number + _before) * (double)(_changedNanos - _oldestNanos) / _before);
        return PerSecond > 0 ? _startNanos + (long)Math.Ceiling(number * 1e9 / PerSecond) : _startNanos;
    }
}
