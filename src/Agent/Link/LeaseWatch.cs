using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Safety;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Agent.Link;

/// <summary>
/// Drains when the lease ends, from a thread of its own. A reactor looks at the lease itself before it paces; this one
/// sees to it that the runner knows, and closes what is there.
/// </summary>
public sealed class LeaseWatch : IDisposable
{
    private const long NanosPerMilli = 1_000_000;

    // CLOCK_BOOTTIME goes on while the host sleeps, waits do not: look often.
    private const int LongestWaitMillis = 500;

    private readonly Lease _lease;
    private readonly IAssignmentRunner _runner;
    private readonly ILogger _log;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;

    /// <summary>Starts watching.</summary>
    public LeaseWatch(Lease lease, IAssignmentRunner runner, ILogger<LeaseWatch> log)
    {
        (_lease, _runner, _log) = (lease, runner, log);
        _thread = new Thread(Watch) { IsBackground = true, Name = "lease" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Watch()
    {
        var drainedFor = 0L;
        do
        {
            var deadline = _lease.DeadlineNanos;
            var ended = Clock.BoottimeNanos >= deadline ? deadline : _lease.LapsedNanos;
            // Once for each lease that ended: the next one begins with the next answered heartbeat.
            if (ended <= drainedFor)
                continue;
            drainedFor = ended;
            if (_runner.Status is null)
                continue;
            AgentLink.LogLeaseEnded(_log);
            _runner.Drain("the lease ended: no word from the coordinator");
        }
        while (!_stop.Wait(WaitMillis()));
    }

    private int WaitMillis()
    {
        var left = (_lease.DeadlineNanos - Clock.BoottimeNanos) / NanosPerMilli;
        return left < 0 ? LongestWaitMillis : (int)Math.Min(left + 1, LongestWaitMillis);
    }
}
