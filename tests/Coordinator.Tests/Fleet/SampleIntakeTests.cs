using CsCheck;
using LoadHarness.Coordinator.Fleet;

namespace LoadHarness.Coordinator.Tests.Fleet;

public sealed class SampleIntakeTests
{
    [Test]
    public void Take_AnyReconnects_KeepsEachSampleOnceInOrder() =>
        // Each number is how many samples are sent before the connection breaks, and how many acknowledgements were lost with it.
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, 20]).List[0, 20].Sample(breaks =>
        {
            var intake = new SampleIntake();
            var kept = new List<ulong>();
            ulong measured = 0, acknowledged = 0;
            foreach (var (sent, lost) in breaks)
            {
                measured += (ulong)sent;
                for (var sequence = acknowledged + 1; sequence <= measured; sequence++)
                {
                    var copy = sequence;
                    var ack = intake.Take("life", sequence, () => kept.Add(copy));
                    Assert.That(ack, Is.EqualTo(Math.Max(sequence, kept.DefaultIfEmpty().Max())));
                }

                acknowledged = measured - Math.Min((ulong)lost, measured - acknowledged);
            }

            Assert.That(kept, Is.EqualTo(Enumerable.Range(1, (int)measured).Select(i => (ulong)i)));
        });

    [Test]
    public void Take_AnotherIncarnation_BeginsAgain()
    {
        var intake = new SampleIntake();
        var kept = 0;
        intake.Take("first", 9, () => kept++);

        var ack = intake.Take("second", 1, () => kept++);

        Assert.Multiple(() =>
        {
            Assert.That(ack, Is.EqualTo(1));
            Assert.That(kept, Is.EqualTo(2));
        });
    }

    [Test]
    public void Take_KeepingFails_CountsAsNotKept()
    {
        var intake = new SampleIntake();
        var kept = 0;
        Assert.That(() => intake.Take("life", 1, () => throw new IOException("full")), Throws.TypeOf<IOException>());

        intake.Take("life", 1, () => kept++);

        Assert.That(kept, Is.EqualTo(1));
    }
}
