using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Measurement;

namespace LoadHarness.Agent.Backend;

/// <summary>One reactor of a backend as the thread sees it that looks after them.</summary>
/// <param name="reactor">The reactor.</param>
/// <param name="capacity">Connections that it takes.</param>
internal sealed class BackendMember(Reactor reactor, int capacity)
{
    private ReactorSnapshot _asked = new();
    private ReactorSnapshot _last = new();
    private bool _isAsked;

    /// <summary>The reactor.</summary>
    public Reactor Reactor => reactor;

    /// <summary>Connections that it takes.</summary>
    public int Capacity => capacity;

    /// <summary>Connections that it could still take when it answered last.</summary>
    public long Room => reactor.Fault is null ? Math.Max(0, capacity - Established) : 0;

    /// <summary>Connections open when it answered last.</summary>
    public long Established => _last.Counters.Established;

    /// <summary>How late it was at most before it answered last, in nanoseconds; 0 while it owes an answer.</summary>
    public long LagNanos => _last.Counters.LagMaxNanos;

    /// <summary>Accepted so far.</summary>
    public long Accepted { get; private set; }

    /// <summary>Ended so far.</summary>
    public long Closed { get; private set; }

    /// <summary>Requests answered so far.</summary>
    public long Requests { get; private set; }

    /// <summary>Turns so far in which nothing could be accepted.</summary>
    public long Refused { get; private set; }

    /// <summary>Whether it has answered.</summary>
    public bool HasAnswered => _asked.IsFilled;

    /// <summary>Asks for a snapshot, unless it still owes one.</summary>
    public void Ask()
    {
        if (_isAsked)
            return;
        _isAsked = true;
        _asked.Clear();
        reactor.Post(new ReactorCommand.TakeSnapshot(_asked));
    }

    /// <summary>Its answer; while it owes one, what it held when it answered last and nothing new.</summary>
    public ReactorSnapshot Take()
    {
        if (!HasAnswered)
        {
            _last.Counters.Restart();
            return _last;
        }

        (_asked, _last) = (_last, _asked);
        _asked.Clear();
        _isAsked = false;
        Accepted += _last.Counters.Opened;
        Closed += _last.Counters.Closed;
        Requests += _last.Counters.Requests;
        Refused += _last.Counters.Failed;
        return _last;
    }
}
