using LoadHarness.V1;

namespace LoadHarness.Agent.Engine;

/// <content>
/// A reconnect storm: a part of what is held is closed and opened again, at a rate of its own. An outage hits any connection, so
/// chance says which, each as likely as any other: a fixed step through the held ones would take all of one destination.
/// A connect that fails is tried again as any other is, at the run's rate: a storm knocks once for each connection.
/// </content>
public sealed partial class ConnectRole
{
    // By then every close has its end (CloseTimeoutNanos), and its tuple is free; what is still to be opened goes the run's own way.
    private const long StormPatienceNanos = CloseTimeoutNanos;
    private const long ShortestStormNanos = 1_000_000;

    private ConnectCommand.Storm? _storm;
    private Chance _chance;

    // Chosen and not closed yet; where to look for the next one.
    private long _stormLeft;
    private int _stormScan;
    private double _stormPerSecond;
    private PacerState _stormClosePace;
    private PacerState _stormOpenPace;

    // Places of closed ones: to be opened at the storm's rate, and at the run's.
    private long _stormOwed;
    private long _stormRetries;
    private bool _stormOpens;

    private void TakeStorm(ConnectCommand.Storm storm)
    {
        if (_draining)
            return;
        HandStormOver();
        _storm = storm;
        _stormScan = -1;
    }

    private long PaceStorm(long nowNanos)
    {
        if (_storm is not { } storm)
            return long.MaxValue;
        if (nowNanos < storm.StartNanos)
            return storm.StartNanos;
        if (_stormScan < 0)
            BeginStorm(storm);
        var closed = CloseChosen(storm, nowNanos);
        var opened = OpenOwed(nowNanos);
        if ((_stormLeft == 0 && _stormOwed == 0) || nowNanos > storm.StartNanos + storm.WithinNanos + StormPatienceNanos)
        {
            HandStormOver();
            return long.MaxValue;
        }

        return closed == Batch || opened == Batch ? nowNanos : nowNanos + PaceQuantumNanos;
    }

    private void BeginStorm(ConnectCommand.Storm storm)
    {
        var held = _reactor.Counters.Established;
        _stormLeft = storm.PartOf(held);
        _stormPerSecond = _stormLeft * 1e9 / Math.Max(storm.WithinNanos, ShortestStormNanos);
        _stormClosePace = _stormOpenPace = new PacerState(storm.StartNanos, 0);
        _stormScan = 0;
        _chance = new Chance((ulong)storm.StartNanos ^ ((ulong)(_reactor.Number + 1) << 48));
        Choose(held, _stormLeft);
    }

    // Selection sampling: exactly so many, and each set of that size as likely (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S).
    private void Choose(long held, long wanted)
    {
        var connections = _reactor.Connections;
        for (var slot = 0; held > 0; slot++)
        {
            if (connections.State(slot) != ConnectionState.Established)
                continue;
            if (_chance.Next() * held < wanted)
            {
                connections.Marks(slot) |= ConnectionMarks.StormChosen;
                wanted--;
            }

            held--;
        }
    }

    private int CloseChosen(ConnectCommand.Storm storm, long nowNanos)
    {
        if (_memory.StopsFins && !storm.ByReset)
            return 0;
        var step = Pacer.Step(_stormClosePace, _stormPerSecond, nowNanos, _stormLeft);
        var closed = 0;
        for (var due = Math.Min(step.Due, Batch); closed < due && NextChosen() is >= 0 and var slot; closed++)
        {
            if (storm.ByReset)
                Abort(slot);
            else
                CloseWhenIdle(slot, nowNanos + CloseTimeoutNanos);
            _stormLeft--;
            _stormOwed++;
        }

        _stormClosePace = step.StateAfter(closed);
        return closed;
    }

    // Those that the peer has ended meanwhile are not met any more.
    private int NextChosen()
    {
        var connections = _reactor.Connections;
        for (; _stormScan < connections.Capacity; _stormScan++)
        {
            if (IsChosen(_stormScan))
                return _stormScan++;
        }

        _stormLeft = 0;
        return -1;
    }

    private bool IsChosen(int slot) =>
        _reactor.Connections.State(slot) == ConnectionState.Established && (_reactor.Connections.Marks(slot) & ConnectionMarks.StormChosen) != 0;

    private long OpenOwed(long nowNanos)
    {
        if (_memory.GrowthStop != GrowthStop.None)
            return 0;
        // A full descriptor table has room again when the peers' FINs have come.
        var room = _reactor.Connections.Capacity - Reactor.ReservedDescriptors - Live - _reactor.Counters.Closing;
        var step = Pacer.Step(_stormOpenPace, _stormPerSecond, nowNanos, Math.Min(_stormOwed, Math.Max(0, room)));
        var owed = _stormOwed;
        _stormOpens = true;
        var started = OpenUpTo(Math.Min(step.Due, Batch), nowNanos);
        _stormOpens = false;
        var failed = started - (owed - _stormOwed);
        _stormOwed -= failed;
        _stormRetries += failed;
        _stormOpenPace = step.StateAfter(started);
        _reactor.Counters.Scheduled += started;
        return started;
    }

    private void CountStormClose(int slot)
    {
        if ((_reactor.Connections.Marks(slot) & ConnectionMarks.StormChosen) != 0)
            _reactor.Counters.StormClosed++;
    }

    // Whether the next connect takes the place of one that a storm closed.
    private bool TakesStormPlace()
    {
        ref var places = ref _stormOpens ? ref _stormOwed : ref _stormRetries;
        if (places == 0)
            return false;
        places--;
        return true;
    }

    /// <summary>Of what is missing to the goal: how many the storm opens itself.</summary>
    private long StormPlaces(long missing)
    {
        _stormOwed = Math.Min(_stormOwed, missing);
        _stormRetries = Math.Min(_stormRetries, missing - _stormOwed);
        return _stormOwed;
    }

    private void HandStormOver()
    {
        for (var slot = 0; _stormLeft > 0 && slot < _reactor.Connections.Capacity; slot++)
        {
            if (IsChosen(slot))
                _reactor.Connections.Marks(slot) &= ~ConnectionMarks.StormChosen;
        }

        _storm = null;
        _stormLeft = 0;
        _stormRetries += _stormOwed;
        _stormOwed = 0;
    }

    private void EndStorm()
    {
        HandStormOver();
        _stormRetries = 0;
    }
}
