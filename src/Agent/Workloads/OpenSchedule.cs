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

    /// <summary>Another rate from now on; those that wait keep their instants as nearly as the new rate can tell.</summary>
    public void Change(double perSecond, long nowNanos)
    {
        if (perSecond == PerSecond)
            return;
        Advance(nowNanos);
        // The oldest of those that wait stays where it was, and the next that is not due yet comes one interval from now.
        (_taken, _due) = (-Waiting, 0);
        _startNanos = nowNanos + (perSecond > 0 ? (long)(1e9 / perSecond) : 0);
        PerSecond = perSecond;
    }

    /// <summary>Takes the request that has waited longest; one must wait.</summary>
    /// <returns>When it was due.</returns>
    public long Take() => InstantOf(_taken++);

    /// <summary>Gives up those that wait and were due before an instant.</summary>
    /// <returns>How many.</returns>
    public long GiveUpBefore(long nanos)
    {
        var given = Math.Clamp(DueAt(nanos) - _taken, 0, Waiting);
        _taken += given;
        return given;
    }

    /// <summary>When the next one will be due; <see cref="long.MaxValue"/>: never.</summary>
    public readonly long NextNanos => PerSecond > 0 ? InstantOf(_due) : long.MaxValue;

    private readonly long DueAt(long nowNanos) =>
        PerSecond > 0 && nowNanos >= _startNanos ? (long)((nowNanos - _startNanos) * PerSecond / 1e9) + 1 : 0;

    private readonly long InstantOf(long number) => PerSecond > 0 ? _startNanos + (long)Math.Ceiling(number * 1e9 / PerSecond) : _startNanos;
}
