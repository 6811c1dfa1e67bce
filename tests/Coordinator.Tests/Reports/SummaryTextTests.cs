using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Tests.Aggregation;
using LoadHarness.Coordinator.Verdicts;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Reports;

public class SummaryTextTests
{
    private static RunSummary Good() => RunVerdict.Judge(
        SummaryBuilder.Build(SummaryFixture.Input(SummaryFixture.SteadyWithKernel(SummaryFixture.Goal))), RunEnding.Completed);

    private static string Text(RunSummary summary) => string.Join('\n', SummaryText.Lines(summary));

    [Test]
    public void Lines_Events_AreListedWithTheirTimesButFindingsAreNot()
    {
        var text = Text(Good() with
        {
            Events =
            [
                new(3, "finding", "a0", "it was odd"), new(12.4, "agent-lost", "a1", "agent a1 was lost."),
                new(15, "agent-returned", "a1", "agent a1 came back."),
            ],
        });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(text, Does.Contain("events    12s: agent a1 was lost.\n          15s: agent a1 came back."));
            Assert.That(text, Does.Not.Contain("it was odd"));
        }
    }

    [Test]
    public void Lines_Storm_HasALineOfItsOwnAndItsEventsAreNotRepeated()
    {
        var text = Text(Good() with
        {
            Storms = [new(1, 20.3, 0.1, 1, "fin", 10_000, 1_000, 1_000, 3.7, 9_000), new(2, 30, 0.5, 0, "rst", 10_000, 5_000, 4_000, null, 5_000)],
            Events = [new(20.3, "storm", "", "a storm"), new(24, "recovered", "", "all is well")],
        }).ReplaceLineEndings(" ");
        var words = string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(words, Does.Contain(
                "storm 1 at 20s 1,000 of 10,000 connections closed by FIN within 1s and 1,000 opened; 10,000 ESTABLISHED again after 3s700ms, 9,000 were the fewest"));
            Assert.That(words, Does.Contain("storm 2 at 30s 5,000 of 10,000 connections closed by RST within 0s and 4,000 opened; they did not all come back"));
            Assert.That(words, Does.Not.Contain("all is well").And.Not.Contain("a storm"));
        }
    }

    [Test]
    public void Lines_Rates_AreFiveOfConnectsAndFiveOfRequests()
    {
        var good = Good();
        var text = Text(good with { Requests = new(1_000, 900, 800, 90, 100, new(25, 22.5, 20, 2.25, 2.5)) });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(text, Does.Contain("rates                 scheduled     offered   completed      failed not offered\n"));
            Assert.That(text, Does.Contain("connects  per s           250.0       250.0       250.0         0.0         0.0\n"));
            Assert.That(text, Does.Contain("requests  per s            25.0        22.5        20.0         2.2         2.5\n"));
            Assert.That(text, Does.Contain("          in all          1,000         900         800          90         100\n"));
            Assert.That(Text(good), Does.Contain("connects  per s").And.Not.Contain("requests  per s"));
        }
    }

    [Test]
    public void Lines_GoodRun_SayFirstThatTheGoalWasReachedAndCanBeBelieved()
    {
        var lines = SummaryText.Lines(Good());
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lines[0], Is.EqualTo("REACHED   10,000 connections after 10s, from then on never fewer than 10,000"));
            Assert.That(lines[1], Is.EqualTo("kernel:   10,000 ESTABLISHED, agrees with our count"));
            Assert.That(lines[^1], Is.EqualTo("PASSED    exit code 0"));
        }
    }

    [Test]
    public void Lines_HeldWhileSomeDidNotReport_SayForHowLong()
    {
        var summary = Good();
        var lines = SummaryText.Lines(summary with { Result = summary.Result with { HeldMissingSeconds = 75 } });
        Assert.That(
            string.Join(' ', lines.Take(2).Select(l => l.Trim())),
            Is.EqualTo("REACHED   10,000 connections after 10s, from then on never fewer than 10,000 (1m15s of it not seen)"));
    }

    [Test]
    public void Lines_MissedRun_SayHowFarItCameAndWhy()
    {
        var summary = SummaryBuilder.Build(SummaryFixture.Input(SummaryFixture.Steady()) with
        {
            Goal = 20_000,
            Reason = "the target refuses",
        });
        var lines = SummaryText.Lines(RunVerdict.Judge(summary, RunEnding.Aborted));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lines[0], Is.EqualTo("MISSED    10,000 of 20,000 connections were the most"));
            Assert.That(lines[1], Is.EqualTo("because   the target refuses"));
            Assert.That(lines[^1], Is.EqualTo("FAILED    exit code 4"));
        }
    }

    [Test]
    public void Lines_KernelDisagrees_SayItLoudly()
    {
        var summary = SummaryBuilder.Build(SummaryFixture.Input(SummaryFixture.SteadyWithKernel(9_000)));
        Assert.That(Text(summary), Does.Contain("9,000 ESTABLISHED, DOES NOT AGREE with our count"));
    }

    [Test]
    public void Lines_KernelReadWhileAReportWasMissing_SayThatTheyCannotBeCompared()
    {
        var summary = SummaryBuilder.Build(SummaryFixture.Input(SummaryFixture.SteadyWithKernel(9_000)));
        summary = summary with { Kernel = summary.Kernel with { OwnEstablished = null } };
        Assert.That(Text(summary), Does.Contain("9,000 ESTABLISHED, our own count of that moment is incomplete").And.Not.Contain("AGREE"));
    }

    [Test]
    public void Lines_Failures_HaveWordsAndRemedy()
    {
        var summary = Good() with
        {
            Failures = new FailureFacts(
                4, ImmutableSortedDictionary<string, long>.Empty.Add("connect/target/refused", 3).Add("close/us/strange", 1)),
        };
        var text = Text(summary).Replace("\n          ", " ", StringComparison.Ordinal);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(text, Does.Contain("3 x the target refused the connection (connect/target/refused): see that it listens there"));
            Assert.That(text, Does.Contain("1 x close/us/strange."));
        }
    }

    [Test]
    public void Lines_BackendThatHoldsAsMany_SaysSoAndWhatItCost()
    {
        var text = Text(SummaryBuilder.Build(SummaryFixture.WithBackend(10_000))).Replace("\n          ", " ", StringComparison.Ordinal);
        Assert.That(text, Does.Contain("backends  10,000 accepted, 10,000 established at hold (kernel 10,000), as many as the clients held"));
        Assert.That(text, Does.Contain("B/conn").And.Contain("b0 "));
    }

    [Test]
    public void Lines_LostBackend_IsMarked()
    {
        var text = Text(SummaryBuilder.Build(SummaryFixture.WithBackend(4_000, lost: true))).Replace("\n          ", " ", StringComparison.Ordinal);
        Assert.That(text, Does.Contain("6,000 fewer than the clients").And.Contain("LOST"));
    }

    [Test]
    public void Lines_AnythingLong_StayWithinEightyColumns()
    {
        var summary = Good() with
        {
            Notes = [string.Join(' ', Enumerable.Repeat("word", 100))],
            Gaps = [.. Enumerable.Range(0, 20).Select(i => new GapFacts("agent", i, i + 1))],
            Agents = [.. Enumerable.Range(0, 100).Select(i =>
                new AgentFacts(new string('x', 60), "h", "n", 100_000_000, 100_000_000, 99_999, 9_999_000_000, i == 3))],
            Backends = [.. Enumerable.Range(0, 30).Select(i =>
                new BackendFacts(new string('y', 60), "h", 999_999_999, 99_999_999, 99_999_999, 99_999_999, 99_999, 9_999_000_000, i == 3))],
            Latency = new LatencyFacts(new LatencyValues(1, 123_456.789, 0.12345, 12.5, 999.999, 1000, 3_600_000), null, null, null),
            Limits = new LimitFacts(true, [string.Join(' ', Enumerable.Repeat("reason", 30))]),
        };
        Assert.That(SummaryText.Lines(summary).Select(l => l.Length), Is.All.LessThanOrEqualTo(SummaryText.Width));
    }

    [Test]
    public void Remedies_EveryCause_HasWords()
    {
        var silent = Enum.GetValues<FailureCause>().Where(c => c is not (FailureCause.Unspecified or FailureCause.Other))
            .Where(c => new[] { FailureStage.SourceBind, FailureStage.Connect, FailureStage.Hold }
                .All(stage => FailureRemedies.Of(FailureNames.Of(stage, FailureParty.Us, c)).Remedy.Length == 0));
        Assert.That(silent, Is.Empty);
    }
}
