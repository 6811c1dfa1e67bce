using LoadHarness.Agent.Safety;

namespace LoadHarness.Agent.Tests.Safety;

public class LeaseTests
{
    private const long Second = 1_000_000_000;

    [Test]
    public void HasEnded_BeforeTheFirstRenewal_Never()
    {
        Assert.That(new Lease().HasEnded(long.MaxValue - 1), Is.False);
    }

    [Test]
    public void Renew_AnsweredLate_CountsFromWhenItWasSent()
    {
        var lease = new Lease();

        lease.Renew(sentNanos: 100 * Second, TimeSpan.FromSeconds(30), 101 * Second);

        Assert.That(lease.DeadlineNanos, Is.EqualTo(130 * Second));
        Assert.That(lease.HasEnded((130 * Second) - 1), Is.False);
        Assert.That(lease.HasEnded(130 * Second), Is.True);
    }

    [Test]
    public void Renew_AnOlderHeartbeat_DoesNotShortenTheLease()
    {
        var lease = new Lease();
        lease.Renew(100 * Second, TimeSpan.FromSeconds(30), 101 * Second);

        lease.Renew(90 * Second, TimeSpan.FromSeconds(30), 102 * Second);

        Assert.That((lease.DeadlineNanos, lease.LapsedNanos), Is.EqualTo((130 * Second, 0L)));
    }

    [Test]
    public void Renew_AfterItsEnd_Revives()
    {
        var lease = new Lease();
        lease.Renew(100 * Second, TimeSpan.FromSeconds(30), 101 * Second);
        Assert.That(lease.HasEnded(140 * Second), Is.True);

        lease.Renew(140 * Second, TimeSpan.FromSeconds(30), 140 * Second);

        Assert.That(lease.HasEnded(141 * Second), Is.False);
        Assert.That(lease.LapsedNanos, Is.EqualTo(130 * Second), "what was to drain at its end can still see that it ended");
    }
}
