using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Tests.Aggregation;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Verdicts;

public class RunVerdictTests
{
    private static RunSummary Judged(RunEnding ending, bool reached = true, bool lost = false, long heldEnd = SummaryFixture.Goal)
    {
        var summary = SummaryBuilder.Build(SummaryFixture.Input(SummaryFixture.Steady()));
        return RunVerdict.Judge(
            summary with
            {
                Result = summary.Result with { Reached = reached, HeldEstablishedEnd = reached ? heldEnd : null },
                Agents = [.. summary.Agents.Select((a, i) => a with { Lost = lost && i == 0 })],
            },
            ending);
    }

    [TestCase(RunEnding.Completed, true, false, ExitCode.Passed)]
    [TestCase(RunEnding.Completed, false, false, ExitCode.GoalMissed)]
    [TestCase(RunEnding.Completed, false, true, ExitCode.AgentsLost)]
    [TestCase(RunEnding.Completed, true, true, ExitCode.Passed)]
    [TestCase(RunEnding.Interrupted, true, false, ExitCode.Interrupted)]
    [TestCase(RunEnding.Interrupted, false, true, ExitCode.Interrupted)]
    [TestCase(RunEnding.Stopped, true, false, ExitCode.Interrupted)]
    [TestCase(RunEnding.Aborted, false, false, ExitCode.GoalMissed)]
    [TestCase(RunEnding.AgentsLost, false, false, ExitCode.AgentsLost)]
    [TestCase(RunEnding.Internal, false, false, ExitCode.Internal)]
    [TestCase(RunEnding.Internal, true, false, ExitCode.Internal)]
    public void Judge_Ending_DecidesTheExitCode(RunEnding ending, bool reached, bool lost, ExitCode code)
    {
        var summary = Judged(ending, reached, lost);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((ExitCode)summary.ExitCode, Is.EqualTo(code));
            Assert.That(summary.Verdict.Passed, Is.EqualTo(code == ExitCode.Passed));
        }
    }

    [Test]
    public void Judge_AgentLostInTheHold_MissesTheGoal() =>
        Assert.That((ExitCode)Judged(RunEnding.Completed, lost: true, heldEnd: 5000).ExitCode, Is.EqualTo(ExitCode.AgentsLost));
}
