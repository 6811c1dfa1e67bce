using LoadHarness.Agent.Link;

namespace LoadHarness.Agent.Tests.Link;

public sealed class HeartbeatLedgerTests
{
    [Test]
    public void TryAnswer_OneThatWasSent_CountsOnce()
    {
        var ledger = new HeartbeatLedger();
        ledger.Add(1, 100);
        ledger.Add(2, 200);

        Assert.Multiple(() =>
        {
            Assert.That(ledger.TryAnswer(2, 200), Is.True);
            Assert.That(ledger.TryAnswer(2, 200), Is.False, "it was answered before");
            Assert.That(ledger.TryAnswer(1, 100), Is.True, "a late answer is one");
        });
    }

    [TestCase(0UL, 0)]
    [TestCase(0UL, 100)]
    [TestCase(2UL, 100)]
    [TestCase(1UL, 99)]
    [TestCase(1UL, 101)]
    [TestCase(257UL, 100)]
    [TestCase(ulong.MaxValue, long.MaxValue)]
    [TestCase(256UL, 0)]
    public void TryAnswer_NeverSent_IsNone(ulong sequence, long sentNanos)
    {
        var ledger = new HeartbeatLedger();
        ledger.Add(1, 100);

        Assert.That(ledger.TryAnswer(sequence, sentNanos), Is.False);
        Assert.That(ledger.TryAnswer(1, 100), Is.True, "the one that was sent still waits");
    }
}
