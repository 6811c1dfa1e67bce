using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Link;
using LoadHarness.Agent.Safety;
using LoadHarness.V1;
using Microsoft.Extensions.Logging.Abstractions;
using AssignmentStatus = LoadHarness.Agent.Assignments.AssignmentStatus;

namespace LoadHarness.Agent.Tests.Link;

public class LeaseWatchTests
{
    private static readonly AssignmentStatus _running =
        new() { RunId = "run-1", Revision = new(1, 1), StoreId = "store", Phase = Phase.Running };

    [Test]
    public void Watch_TheLeaseEnds_DrainsOnceForEachLease()
    {
        var (lease, runner) = (new Lease(), new RecordingRunner { Status = _running });
        using var watch = new LeaseWatch(lease, runner, NullLogger<LeaseWatch>.Instance);
        lease.Renew(Clock.BoottimeNanos, TimeSpan.FromMilliseconds(300), Clock.BoottimeNanos);
        var deadline = lease.DeadlineNanos;

        Assert.That(() => runner.Drains.Count, Is.EqualTo(1).After(60_000, 10));
        Assert.That(Clock.BoottimeNanos, Is.GreaterThanOrEqualTo(deadline), "not before it ends");
        Assert.That(() => runner.Drains.Count, Is.EqualTo(1).After(1_200), "the same lease ends once");

        lease.Renew(Clock.BoottimeNanos, TimeSpan.FromMilliseconds(100), Clock.BoottimeNanos);
        Assert.That(() => runner.Drains.Count, Is.EqualTo(2).After(60_000, 10));
    }

    [Test]
    public void Watch_ALeaseThatWasRenewedAfterItsEnd_Drains()
    {
        var (lease, runner) = (new Lease(), new RecordingRunner { Status = _running });
        using var watch = new LeaseWatch(lease, runner, NullLogger<LeaseWatch>.Instance);
        var now = Clock.BoottimeNanos;
        lease.Renew(now, TimeSpan.FromSeconds(30), now);
        lease.Renew(now + 40_000_000_000, TimeSpan.FromSeconds(30), now + 40_000_000_000);

        Assert.That(() => runner.Drains.Count, Is.EqualTo(1).After(60_000, 10));
        Assert.That(() => runner.Drains.Count, Is.EqualTo(1).After(700), "once");
    }

    [Test]
    public void Watch_NeverWelcomedOrRenewedInTime_DrainsNothing()
    {
        var (lease, runner) = (new Lease(), new RecordingRunner { Status = _running });
        using var watch = new LeaseWatch(lease, runner, NullLogger<LeaseWatch>.Instance);
        Assert.That(() => runner.Drains.Count, Is.Zero.After(700));

        for (var i = 0; i < 10; i++)
        {
            lease.Renew(Clock.BoottimeNanos, TimeSpan.FromSeconds(30), Clock.BoottimeNanos);
            Thread.Sleep(100);
        }

        Assert.That(runner.Drains, Is.Empty);
    }

    [Test]
    public void Watch_NothingAssigned_HasNothingToDrain()
    {
        var (lease, runner) = (new Lease(), new RecordingRunner());
        using var watch = new LeaseWatch(lease, runner, NullLogger<LeaseWatch>.Instance);

        lease.Renew(Clock.BoottimeNanos, TimeSpan.FromMilliseconds(50), Clock.BoottimeNanos);

        Assert.That(() => runner.Drains.Count, Is.Zero.After(800));
    }
}
