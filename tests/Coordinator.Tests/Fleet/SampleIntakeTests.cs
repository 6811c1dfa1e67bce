using CsCheck;
using LoadHarness.Coordinator.Fleet;

namespace LoadHarness.Coordinator.Tests.Fleet;

public sealed class SampleIntakeTests
{
    [Test]
    public void TakeAsync_AnyReconnects_KeepsEachSampleOnceInOrder() =>
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
                    var ack = intake.TakeAsync("life", sequence, () =>
                    {
                        kept.Add(copy);
                        return Task.CompletedTask;
                    }).Result;
                    Assert.That(ack, Is.EqualTo(Math.Max(sequence, kept.DefaultIfEmpty().Max())));
                }

                acknowledged = measured - Math.Min((ulong)lost, measured - acknowledged);
            }

            Assert.That(kept, Is.EqualTo(Enumerable.Range(1, (int)measured).Select(i => (ulong)i)));
        });

    [Test]
    public async Task TakeAsync_AnotherIncarnation_BeginsAgain()
    {
        var intake = new SampleIntake();
        var kept = 0;
        await intake.TakeAsync("first", 9, Keep);

        var ack = await intake.TakeAsync("second", 1, Keep);

        Assert.Multiple(() =>
        {
            Assert.That(ack, Is.EqualTo(1));
            Assert.That(kept, Is.EqualTo(2));
        });

        Task Keep()
        {
            kept++;
            return Task.CompletedTask;
        }
    }

    [Test]
    public async Task TakeAsync_SentAgainBeforeItIsStored_IsAcknowledgedOnlyThen()
    {
        var intake = new SampleIntake();
        var storing = new TaskCompletionSource();
        var first = intake.TakeAsync("life", 1, () => storing.Task);

        var again = intake.TakeAsync("life", 1, () => throw new InvalidOperationException("it is being kept already"));

        Assert.That((first.IsCompleted, again.IsCompleted), Is.EqualTo((false, false)));
        storing.SetResult();
        Assert.That((await first, await again), Is.EqualTo((1UL, 1UL)));
    }

    [Test]
    public async Task TakeAsync_StoringFails_LeavesItAndThoseBehindItUnacknowledged()
    {
        var intake = new SampleIntake();
        var storing = new TaskCompletionSource();
        await intake.TakeAsync("life", 1, () => Task.CompletedTask);
        var second = intake.TakeAsync("life", 2, () => storing.Task);
        var third = intake.TakeAsync("life", 3, () => Task.CompletedTask);

        storing.SetException(new IOException("full"));

        Assert.That(async () => await second, Throws.TypeOf<IOException>());
        Assert.That(async () => await third, Throws.TypeOf<IOException>());
        Assert.That(async () => await intake.TakeAsync("life", 4, () => Task.CompletedTask), Throws.InvalidOperationException,
            "an acknowledgement of it would cover the lost ones");
    }

    [Test]
    public async Task TakeAsync_SentAgainAfterAFailure_IsKept()
    {
        var intake = new SampleIntake();
        Assert.That(async () => await intake.TakeAsync("life", 57, () => Task.FromException(new IOException("full"))), Throws.TypeOf<IOException>());
        var kept = new List<int>();

        await intake.TakeAsync("life", 57, () => Keep(57));
        var ack = await intake.TakeAsync("life", 58, () => Keep(58));

        Assert.That((ack, kept), Is.EqualTo((58UL, new List<int> { 57, 58 })));

        Task Keep(int sequence)
        {
            kept.Add(sequence);
            return Task.CompletedTask;
        }
    }
}
