using LoadHarness.Agent.Measurement;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Measurement;

/// <summary>What a reactor records in, in turns with the one that it hands over.</summary>
public sealed class LatenciesTests
{
    [Test]
    public void Match_KindsOfTheOther_AreRecordedWithoutAllocation()
    {
        var other = new Latencies();
        other[HistogramKind.Connect].Record(7);
        other[HistogramKind.TimeToFirstByte].Record(7);
        var latencies = new Latencies();

        latencies.Match(other);

        Assert.That(latencies.Kinds, Is.Empty, "memory, no values");
        Assert.Multiple(() =>
        {
            Assert.That(AllocatedBy(() => latencies[HistogramKind.Connect].Record(1)), Is.Zero);
            Assert.That(AllocatedBy(() => latencies[HistogramKind.TimeToFirstByte].Record(1)), Is.Zero);
            Assert.That(AllocatedBy(() => latencies[HistogramKind.TlsHandshake].Record(1)), Is.Positive, "the other has none of it");
        });
        Assert.That(latencies.Kinds, Is.EquivalentTo(new[] { HistogramKind.Connect, HistogramKind.TimeToFirstByte, HistogramKind.TlsHandshake }));
    }

    [Test]
    public void Match_WhatItHasAlready_Stays()
    {
        var other = new Latencies();
        other[HistogramKind.Connect].Record(7);
        var latencies = new Latencies();
        latencies[HistogramKind.Connect].Record(1);

        latencies.Match(other);
        latencies.Match(new Latencies());

        Assert.That(latencies[HistogramKind.Connect].Count, Is.EqualTo(1));
    }

    private static long AllocatedBy(Action action)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
