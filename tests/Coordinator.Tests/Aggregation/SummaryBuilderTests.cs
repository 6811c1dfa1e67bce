using LoadHarness.Coordinator.Aggregation;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Aggregation.Samples;
using static LoadHarness.Coordinator.Tests.Aggregation.SummaryFixture;

namespace LoadHarness.Coordinator.Tests.Aggregation;

public class SummaryBuilderTests
{
    [Test]
    public void Build_SteadyRun_ReachesAndHolds()
    {
        var summary = SummaryBuilder.Build(Input(Steady()));
        var result = summary.Result;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.Reached, Is.True);
            Assert.That(result.ReachedAfterSeconds, Is.EqualTo(10));
            Assert.That(result.PeakEstablished, Is.EqualTo(Goal));
            Assert.That(result.HeldEstablishedMin, Is.EqualTo(Goal));
            Assert.That(result.HeldEstablishedEnd, Is.EqualTo(Goal));
            Assert.That(result.Opened, Is.EqualTo(Goal));
            Assert.That(result.OpenRateMean, Is.EqualTo(1000));
            Assert.That(result.OpenRatePeak, Is.EqualTo(1000));
            Assert.That(result.Confirmed, Is.Null);
            Assert.That(summary.Rates.Completed, Is.EqualTo(250), "10,000 in the 40 s before the drain");
            Assert.That(summary.Target.Destinations, Is.EqualTo(new[] { "10.0.0.5:443", "[::1]:80-89" }));
            Assert.That(summary.Agents.Select(a => (a.PeakEstablished, a.CpuSeconds, a.MaxRssBytes)), Is.All.EqualTo((5000, 4.0, 1000)));
            Assert.That(summary.Limits.ToolLimited, Is.False);
            Assert.That(summary.Notes, Is.Empty);
        }
    }

    [Test]
    public void Build_GoalOneHigher_IsNotReached()
    {
        var result = SummaryBuilder.Build(Input(Steady()) with { Goal = Goal + 1 }).Result;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.Reached, Is.False);
            Assert.That(result.HeldEstablishedMin, Is.Null);
            Assert.That(result.PeakEstablished, Is.EqualTo(Goal));
            Assert.That(result.OpenRateMean, Is.EqualTo(1000), "over the ramp");
        }
    }

    [Test]
    public void Build_DipInTheHold_IsTheMinimumAndIsSaid()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        for (var second = 0; second < 40; second++)
            timeline.Add(Of("a0", (ulong)second + 1, second, second + 1, second == 20 ? 9_000 : Goal,
                new() { ClosedByPeer = second == 20 ? 1000 : 0 }));
        var summary = SummaryBuilder.Build(Input(timeline));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Result.HeldEstablishedMin, Is.EqualTo(9_000));
            Assert.That(summary.Result.HeldEstablishedEnd, Is.EqualTo(Goal));
            Assert.That(summary.Notes, Has.One.Contains("9,000 of 10,000 connections were the fewest; the target closed 1,000"));
        }
    }

    [Test]
    public void Build_ReportMissingInTheHold_IsAGapAndNotADip()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Join("a1", TimeSpan.Zero);
        for (var second = 0; second < 40; second++)
        {
            timeline.Add(Of("a0", (ulong)second + 1, second, second + 1, 5000));
            if (second is < 20 or > 24)
                timeline.Add(Of("a1", (ulong)second + 1, second, second + 1, 5000));
        }

        timeline.Leave("a0", At(40));
        timeline.Leave("a1", At(40));
        var summary = SummaryBuilder.Build(Input(timeline));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Result.HeldEstablishedMin, Is.EqualTo(Goal));
            Assert.That(summary.Result.HeldMissingSeconds, Is.EqualTo(5));
            Assert.That(summary.Gaps, Is.EqualTo(new[] { new GapFacts("a1", 20, 25) }));
        }
    }

    [Test]
    public void Build_FewerConfirmedThanEstablished_ExplainsTheRest()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        for (var second = 0; second < 40; second++)
            timeline.Add(Of("a0", (ulong)second + 1, second, second + 1) with { Gauges = new() { Established = 9000, Confirmed = 5000 } });
        var summary = SummaryBuilder.Build(Input(timeline) with { Goal = 9000 });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Result.Confirmed, Is.EqualTo(5000));
            Assert.That(
                summary.Notes,
                Has.One.StartsWith("5,000 of 9,000 connections were accepted by the target; the other 4,000 are ESTABLISHED in its"));
        }
    }

    [Test]
    public void Build_KernelEqual_Agrees()
    {
        var kernel = SummaryBuilder.Build(Input(SteadyWithKernel(Goal))).Kernel;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(kernel.Established, Is.EqualTo(Goal));
            Assert.That(kernel.OwnEstablished, Is.EqualTo(Goal));
            Assert.That(kernel.Agrees, Is.True);
            Assert.That(kernel.AgeSeconds, Is.EqualTo(1.5));
            Assert.That(kernel.States.Keys, Is.EqualTo(new[] { "ESTABLISHED", "TIME-WAIT" }));
            Assert.That(kernel.Note, Is.Empty);
        }
    }

    [Test]
    public void Build_KernelDiffers_SaysByHowMuch()
    {
        var kernel = SummaryBuilder.Build(Input(SteadyWithKernel(Goal - 500))).Kernel;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(kernel.Agrees, Is.False);
            Assert.That(kernel.Note, Does.StartWith("The kernel counted 9,500 ESTABLISHED, 500 fewer than our own count of 10,000"));
        }
    }

    [Test]
    public void Build_KernelReadOnlyInTheDrain_IsMissingAndSaysSo()
    {
        var kernel = SummaryBuilder.Build(Input(SteadyWithKernel(Goal, 41.5))).Kernel;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(kernel.Established, Is.Null);
            Assert.That(kernel.Agrees, Is.False);
            Assert.That(kernel.Note, Does.Contain("No kernel was read while the goal was held"));
        }
    }

    [Test]
    public void Build_KernelReadJustAsTheDrainBegan_IsTakenForWantOfABetterOne() =>
        Assert.That(SummaryBuilder.Build(Input(SteadyWithKernel(Goal, 40.1))).Kernel.Established, Is.EqualTo(Goal));

    [Test]
    public void Build_AgentsThatFinishedWithTheRun_LeaveNoGap()
    {
        var timeline = SteadyWithKernel(Goal);
        timeline.Leave("a0", At(41));
        timeline.Leave("a1", At(41));
        Assert.That(SummaryBuilder.Build(Input(timeline)).Gaps, Is.Empty);
    }

    [Test]
    public void Build_TimeWaitAtTheCap_SaysThatItIsTheCap() =>
        Assert.That(
            SummaryBuilder.Build(Input(SteadyWithKernel(Goal, timeWait: 1000))).Kernel.Note,
            Does.Contain("TIME-WAIT reached the cap of 1,000"));

    [Test]
    public void Build_OneKernelOfTwo_DoesNotCountAsAgreement()
    {
        var input = Input(SteadyWithKernel(Goal));
        var kernel = SummaryBuilder.Build(input with { Agents = [.. input.Agents, new("a2", "far", "ns2", 10, false)] }).Kernel;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(kernel.Agrees, Is.False);
            Assert.That(kernel.Note, Does.Contain("The kernel of far was not read"));
        }
    }

    [Test]
    public void Build_FailuresAndLatency_AreByReasonAndInMilliseconds()
    {
        var timeline = Steady();
        timeline.Add(Of("a0", 900, 39, 40, 5000, new() { Failed = 5 }) with
        {
            Failures =
            [
                new(FailureStage.Connect, FailureParty.Target, FailureCause.Refused, 111, 3),
                new(FailureStage.Connect, FailureParty.Us, FailureCause.Other, 22, 2),
            ],
            Histograms = Connects(Histogram(1000, 1000, 1000, 3000)),
        });
        var summary = SummaryBuilder.Build(Input(timeline));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Failures.Total, Is.EqualTo(5));
            Assert.That(summary.Failures.ByReason["connect/target/refused"], Is.EqualTo(3));
            Assert.That(summary.Limits.Reasons, Has.One.Contains("2 failures were ours: connect/us/other"));
            Assert.That(summary.Notes, Has.One.Contains("errno 22"));
            Assert.That(summary.Latency.Connect!.P50, Is.EqualTo(1).Within(0.001));
            Assert.That(summary.Latency.Connect.Max, Is.EqualTo(3).Within(0.01));
            Assert.That(summary.Latency.TlsHandshake, Is.Null);
        }
    }

    [Test]
    public void Build_LatenciesAboveTheMostThatIsKept_AreSaidToBeMore()
    {
        var (within, beyond) = (Steady(), Steady());
        within.Add(Of("a0", 900, 39, 40, 5000) with { Histograms = Connects(Histogram(1000, 3_500_000_000)) });
        beyond.Add(Of("a0", 900, 39, 40, 5000) with { Histograms = Connects(Histogram(1000, 4_000_000_000, 5_000_000_000)) });

        Assert.That(SummaryBuilder.Build(Input(within)).Notes, Has.None.Contains("an hour"));
        Assert.That(SummaryBuilder.Build(Input(beyond)).Notes, Has.One.StartsWith("2 of the latencies (connect) were an hour or longer"));
    }

    [TestCase(1050, false)]
    [TestCase(9000, true)]
    public void Build_ChurnBelowItsGoal_SaysThatTheAgentsDidNotKeepUp(double wanted, bool said)
    {
        // 1,000 are opened per second at most.
        var limits = SummaryBuilder.Build(Input(Steady()) with { Goal = Goal + 1, ChurnPerSecond = wanted }).Limits;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(limits.ToolLimited, Is.EqualTo(said));
            Assert.That(limits.Reasons, said ? Has.One.Contains("1,000/s at most").And.One.Contains("9,000/s") : Is.Empty);
        }
    }

    [TestCase(9_999, false)]
    [TestCase(10_000, true)]
    public void BytesPerConnection_Few_IsNotSaid(long established, bool said)
    {
        var totals = new AgentTotals { AgentId = "a", BaseRssBytes = 1, RssBytesAtPeak = 640_001, PeakEstablished = established };
        Assert.That(totals.BytesPerConnection, said ? Is.EqualTo(64.0) : Is.Null);
    }

    [TestCase(false, 0)]
    [TestCase(true, 2)]
    public void Build_RequestsThatWereNeverSent_AreOursOnlyWhereAnAgentWasLate(bool late, int reasons)
    {
        var timeline = Steady();
        var counters = new CounterValues { RequestsScheduled = 7, RequestsNotOffered = 7 };
        timeline.Add(Of("a0", 900, 40, 41, counters: counters) with { Health = new() { Saturated = late } });
        var limits = SummaryBuilder.Build(Input(timeline)).Limits;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(limits.ToolLimited, Is.EqualTo(late));
            Assert.That(limits.Reasons, Has.Length.EqualTo(reasons));
            Assert.That(limits.Reasons, late ? Has.One.Contains("7 were never sent") : Is.Empty);
        }
    }

    [Test]
    public void Build_SaturatedAgent_SaysThatTheToolWasTheLimit()
    {
        var timeline = Steady();
        timeline.Add(Of("a0", 900, 40, 41) with { Health = new() { Saturated = true, ReactorLagMax = At(0.25) } });
        var limits = SummaryBuilder.Build(Input(timeline)).Limits;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(limits.ToolLimited, Is.True);
            Assert.That(limits.Reasons, Has.One.Contains("a0 was saturated for 1 s (a reactor was late by up to 250 ms)"));
        }
    }

    [Test]
    public void Build_NothingEverStarted_StillSums()
    {
        var summary = SummaryBuilder.Build(new SummaryInput
        {
            RunId = "r",
            Ending = RunEnding.AgentsLost,
            Reason = "no agent got ready",
            Duration = TimeSpan.Zero,
            Destinations = [],
            Goal = 1,
            Agents = [],
            Timeline = new Timeline(TimeSpan.FromHours(1)),
        });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Result.Reached, Is.False);
            Assert.That(summary.Run.State, Is.EqualTo("failed"));
            Assert.That(summary.Run.StartedAt, Is.Null);
            Assert.That(summary.Kernel.Established, Is.Null);
        }
    }
}
