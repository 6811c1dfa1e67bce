using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Tests.Aggregation;

public class BackendReaderTests
{
    [Test]
    public void Build_NoBackends_HasNone() =>
        Assert.That(SummaryBuilder.Build(SummaryFixture.Input(SummaryFixture.Steady())).Backends, Is.Empty);

    [Test]
    public void Build_BothSidesEqual_SaysNothingAboutIt()
    {
        var summary = SummaryBuilder.Build(SummaryFixture.WithBackend(10_000));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Notes, Is.Empty);
            Assert.That(
                summary.Backends.Select(b => (b.Id, b.Host, b.Accepted, b.PeakEstablished, b.Established, b.KernelEstablished, b.Lost)),
                Is.EqualTo(new[] { ("b0", "h9", 10_000L, 10_000L, (long?)10_000, (long?)10_000, false) }));
            Assert.That(summary.Result.PeakEstablished, Is.EqualTo(10_000), "the clients alone");
            Assert.That(summary.Kernel.Established, Is.EqualTo(10_000));
            Assert.That(summary.Gaps.Select(g => g.Agent), Has.None.EqualTo("b0"));
        }
    }

    [TestCase(6_000, "the other 4,000 end in between")]
    [TestCase(12_000, "the other 2,000 were opened by what lies in between")]
    public void Build_SidesThatDiffer_SaysWhereConnectionsEnd(long held, string words) =>
        Assert.That(SummaryBuilder.Build(SummaryFixture.WithBackend(held)).Notes, Has.One.Contains(words));

    [Test]
    public void Build_LostBackend_IsNotComparedWithTheClients()
    {
        var notes = SummaryBuilder.Build(SummaryFixture.WithBackend(6_000, lost: true)).Notes;
        Assert.That(notes, Has.One.Contains("1 of 1 backends were lost (b0)"));
        Assert.That(notes, Has.None.Contains("in between"));
    }

    [Test]
    public void Build_SaturatedBackend_SaysThatTheToolWasTheLimit()
    {
        var input = SummaryFixture.WithBackend(10_000);
        input.Backends!.Add(Samples.Of("b0", 500, 20, 21, 10_000) with
        {
            NetworkNamespace = "ns9",
            Health = new HealthValues { Saturated = true, ReactorLagMax = TimeSpan.FromMilliseconds(300) },
        });
        var limits = SummaryBuilder.Build(input).Limits;
        Assert.That(limits.ToolLimited, Is.True);
        Assert.That(limits.Reasons, Has.One.Contains("Backend b0").And.One.Contains("300 ms"));
    }

    [Test]
    public void HeldBy_SilentSinceLongBeforeTheDrain_IsNotKnown()
    {
        var timeline = new BackendTimeline(TimeSpan.FromHours(1));
        timeline.Add(Samples.Of("b0", 1, 0, 1, 50));
        timeline.BeginDrain(TimeSpan.FromSeconds(30));

        Assert.That((timeline.HeldBy("b0"), timeline.HeldBy("b1")), Is.EqualTo(((long?)null, (long?)null)));
    }

    [Test]
    public void HeldBy_SamplesThatComeLate_StillCount()
    {
        var timeline = new BackendTimeline(TimeSpan.FromHours(1));
        timeline.BeginDrain(TimeSpan.FromSeconds(2));
        timeline.Add(Samples.Of("b0", 2, 1, 2, 70));
        timeline.Add(Samples.Of("b0", 1, 0, 1, 50));
        timeline.Add(Samples.Of("b0", 3, 2, 3, 10));

        Assert.That(timeline.HeldBy("b0"), Is.EqualTo(70));
    }
}
