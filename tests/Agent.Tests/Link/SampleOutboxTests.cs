using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.KernelView;
using LoadHarness.Agent.Link;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Link;

public class SampleOutboxTests
{
    private static readonly Health _health = new();

    [Test]
    public void TryTake_InOrder_NumbersFromOne()
    {
        var outbox = new SampleOutbox();
        outbox.Add(Second(0));
        outbox.Add(Second(1));

        Assert.That(TakeAll(outbox).Select(s => (s.Sequence, s.Sample.FromMillis)), Is.EqualTo(new[] { (1UL, 0L), (2UL, 1000L) }));
        Assert.That(outbox.Count, Is.EqualTo(2), "kept until they are acknowledged");
    }

    [Test]
    public void Rewind_AfterPartialAcknowledgement_GivesTheRestAgainUnderTheirNumbers()
    {
        var outbox = new SampleOutbox();
        for (var i = 0; i < 4; i++)
            outbox.Add(Second(i));
        TakeAll(outbox);
        outbox.Acknowledge(2);

        outbox.Rewind();
        outbox.Add(Second(4));

        Assert.That(TakeAll(outbox).Select(s => (s.Sequence, s.Sample.FromMillis)),
            Is.EqualTo(new[] { (3UL, 2000L), (4UL, 3000L), (5UL, 4000L) }));
    }

    [Test]
    public void Add_WhenFull_MergesNeighboursThatWereNotSent()
    {
        var outbox = new SampleOutbox(capacity: 3, window: 1);
        outbox.Add(Second(0));
        var sent = TakeAll(outbox).Single();
        for (var i = 1; i < 6; i++)
            outbox.Add(Second(i));
        Assert.That(outbox.Count, Is.EqualTo(3));

        outbox.Acknowledge(sent.Sequence);
        var rest = new List<NumberedSample>();
        while (outbox.TryTake(out var next))
        {
            rest.Add(next);
            outbox.Acknowledge(next.Sequence);
        }

        Assert.That(sent.Sample, Is.EqualTo(Second(0)), "what was sent is never changed");
        Assert.That(rest.Sum(s => s.Sample.Counts.Opened), Is.EqualTo(5));
        Assert.That(rest.Select(s => (s.Sample.FromMillis, s.Sample.ToMillis)), Is.EqualTo(new[] { (1000L, 3000L), (3000L, 6000L) })
            .Or.EqualTo(new[] { (1000L, 5000L), (5000L, 6000L) }).Or.EqualTo(new[] { (1000L, 4000L), (4000L, 6000L) }));
    }

    [Test]
    public void Acknowledge_NeverSent_IsPassedOver()
    {
        var outbox = new SampleOutbox(window: 1);
        outbox.Add(Second(0));
        outbox.Add(Second(1));
        Assert.That(TakeAll(outbox), Has.Count.EqualTo(1));

        outbox.Acknowledge(99);

        Assert.That((TakeAll(outbox).Count, outbox.Count), Is.EqualTo((0, 2)), "what is not kept for certain is kept here");
        outbox.Acknowledge(1);
        Assert.That(TakeAll(outbox).Single().Sample.FromMillis, Is.EqualTo(1000));
    }

    [Test]
    public void Changed_AnAcknowledgement_Completes()
    {
        var outbox = new SampleOutbox();
        outbox.Add(Second(0));
        TakeAll(outbox);
        var changed = outbox.Changed;

        outbox.Acknowledge(1);

        Assert.That(changed.IsCompleted, Is.True);
        Assert.That(outbox.Changed.IsCompleted, Is.False);
    }

    /// <summary>Whatever happens on the way, a receiver that keeps each sequence once ends with every count exactly once.</summary>
    [Test]
    public void Outbox_AnyAddsAcksAndReconnects_LosesNothingAndDoublesNothing()
    {
        Gen.Select(Gen.Int[0, 5].Array[0, 300], Gen.Int[2, 12], Gen.Int[1, 6]).Sample((steps, capacity, window) =>
        {
            var outbox = new SampleOutbox(capacity, window);
            var coordinator = new Coordinator();
            var added = 0;
            foreach (var step in steps)
            {
                switch (step)
                {
                    case 0 or 1 or 2:
                        outbox.Add(Second(added++));
                        break;
                    case 3:
                        if (outbox.TryTake(out var arrives))
                            coordinator.Receive(arrives);
                        break;
                    case 4:
                        outbox.Acknowledge(coordinator.Kept);
                        break;
                    default:
                        // One is lost on its way with the connection.
                        outbox.TryTake(out _);
                        outbox.Rewind();
                        break;
                }

                Assert.That(outbox.Count, Is.LessThanOrEqualTo(Math.Max(capacity, window + 1)));
            }

            outbox.Rewind();
            while (outbox.TryTake(out var last))
            {
                coordinator.Receive(last);
                outbox.Acknowledge(coordinator.Kept);
            }

            Assert.That(outbox.Count, Is.Zero);
            Assert.That(coordinator.Opened, Is.EqualTo(added));
            Assert.That(coordinator.Seconds, Is.EqualTo(added), "no second is missing and none is covered twice");
        });
    }

    [Test]
    public void Merge_Neighbours_AddsCountersAndKeepsTheLaterGauges()
    {
        var reading = new KernelReading { TakenAtNanos = 1 };
        var (a, b) = (new EndpointAddress(new IpAddress(false, 1)), new EndpointAddress(new IpAddress(false, 2)));
        var earlier = Second(0) with
        {
            Counts = new Counts { Established = 7, EstablishedMax = 9, Opened = 3, BytesSent = 1, StormClosed = 4, StormOpened = 1 },
            Failures = [Failure(FailureCause.Refused, 2), Failure(FailureCause.Timeout, 1)],
            Histograms = [new(HistogramKind.Connect, [1], 4)],
            Health = new Health { CpuMicros = 10, ReactorLagMaxMicros = 500, Saturated = true, RssBytes = 1 },
            Kernel = reading,
            KernelTakenAtMillis = 400,
            Sockets = Sockets(true, (a, 1), (b, 1)),
        };
        var later = Second(1) with
        {
            Counts = new Counts { Established = 5, EstablishedMax = 6, Opened = 2, BytesSent = 1, StormOpened = 2 },
            Failures = [Failure(FailureCause.Refused, 5)],
            Histograms = [new(HistogramKind.Connect, [2], 0)],
            Health = new Health { CpuMicros = 20, ReactorLagMaxMicros = 300, RssBytes = 2 },
            Sockets = Sockets(false, (b, 8)),
        };

        var merged = SampleMerge.Merge(earlier, later);

        Assert.That((merged.FromMillis, merged.ToMillis), Is.EqualTo((0L, 2000L)));
        Assert.That(merged.Counts, Is.EqualTo(new Counts { Established = 5, EstablishedMax = 9, Opened = 5, BytesSent = 2, StormClosed = 4, StormOpened = 3 }));
        Assert.That(merged.Failures, Is.EquivalentTo(new[] { Failure(FailureCause.Refused, 7), Failure(FailureCause.Timeout, 1) }));
        Assert.That(merged.Histograms.Select(h => h.Encoded[0]), Is.EqualTo(new[] { 1, 2 }));
        Assert.That(merged.Health, Is.EqualTo(new Health { CpuMicros = 30, ReactorLagMaxMicros = 500, Saturated = true, RssBytes = 2 }));
        Assert.That((merged.Kernel, merged.KernelTakenAtMillis), Is.EqualTo((reading, 400L)));
        Assert.That(merged.Sockets!.Whole, Is.True);
        Assert.That(merged.Sockets.Sources, Is.EquivalentTo(Sockets(true, (a, 1), (b, 8)).Sources));
    }

    [Test]
    public void Merge_DumpAndWhatWasReadAfterIt_KeepsTheDumpWithTheNewerNumbersOfTheNamespace()
    {
        var dump = Second(0) with
        {
            Kernel = new() { TakenAtNanos = 1, States = StateCounts.Of([(TcpState.Established, 3L)]), Counters = new(1, 1, 1, 1, 1, 1) },
            KernelTakenAtMillis = 400,
        };
        var between = Second(1) with
        {
            Kernel = new() { TakenAtNanos = 2, NamespaceOnly = true, Sockstat = new(1, 2, 3, 4, 5), Counters = new(2, 2, 2, 2, 2, 2) },
            KernelTakenAtMillis = 1400,
        };

        var merged = SampleMerge.Merge(dump, between);

        Assert.That(merged.Kernel, Is.EqualTo(dump.Kernel with { Sockstat = between.Kernel.Sockstat, Counters = between.Kernel.Counters }));
        Assert.That(merged.KernelTakenAtMillis, Is.EqualTo(400));
        Assert.That(SampleMerge.Merge(Second(0), between).Kernel, Is.EqualTo(between.Kernel));
        Assert.That(SampleMerge.Merge(Second(0) with { Kernel = between.Kernel }, dump with { FromMillis = 1000 }).Kernel, Is.EqualTo(dump.Kernel));
    }

    private static Agent.Assignments.SocketCounts Sockets(bool whole, params (EndpointAddress Source, long Established)[] sources) => new(
        whole,
        sources.ToImmutableDictionary(s => s.Source, s => StateCounts.Of([(TcpState.Established, s.Established)])),
        ImmutableDictionary<EndpointAddress, StateCounts>.Empty);

    [Test]
    public void CanMerge_AnotherRunOrAGap_No()
    {
        Assert.That(SampleMerge.CanMerge(Second(0), Second(1)), Is.True);
        Assert.That(SampleMerge.CanMerge(Second(0), Second(1) with { RunId = "other" }), Is.False);
        Assert.That(SampleMerge.CanMerge(Second(0), Second(2)), Is.False, "a missing interval must stay missing");
    }

    private static FailureTally Failure(FailureCause cause, long count) =>
        new(FailureStage.Connect, FailureParty.Target, cause, 111, count);

    private static AgentSample Second(int number) => new()
    {
        RunId = "run",
        FromMillis = number * 1000,
        ToMillis = (number + 1) * 1000,
        Counts = new Counts { Opened = 1 },
        Health = _health,
    };

    private static List<NumberedSample> TakeAll(SampleOutbox outbox)
    {
        var taken = new List<NumberedSample>();
        while (outbox.TryTake(out var sample))
            taken.Add(sample);
        return taken;
    }

    /// <summary>Keeps whatever is above the highest sequence kept, as the real one does.</summary>
    private sealed class Coordinator
    {
        public ulong Kept { get; private set; }

        public long Opened { get; private set; }

        public long Seconds { get; private set; }

        public void Receive(NumberedSample numbered)
        {
            if (numbered.Sequence <= Kept)
                return;
            Assert.That(numbered.Sequence, Is.EqualTo(Kept + 1), "in order and without gaps");
            Kept = numbered.Sequence;
            Opened += numbered.Sample.Counts.Opened;
            Seconds += (numbered.Sample.ToMillis - numbered.Sample.FromMillis) / 1000;
        }
    }
}
