using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Verdicts;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Cli;

public class LocalCoordinatorsTests
{
    private static readonly (string, RunView)[] _runs = [("c", Run("abc3")), ("b", Run("abd2")), ("a", Run("abd"))];

    [TestCase(null, "abc3")]
    [TestCase("", "abc3")]
    [TestCase("abc", "abc3")]
    [TestCase("abd", "abd")]
    [TestCase("abd2", "abd2")]
    public void Choose_IdOrItsBeginning_FindsTheRun(string? id, string expected) =>
        Assert.That(LocalCoordinators.Choose(_runs, id).Run.Id, Is.EqualTo(expected));

    [TestCase("ab", "more than one run begins like that")]
    [TestCase("x", "there is no such run here; there are: abc3, abd2, abd")]
    public void Choose_NoneOrSeveral_NamesWhatThereIs(string id, string expected) =>
        Assert.That(() => LocalCoordinators.Choose(_runs, id),
            Throws.TypeOf<CliException>().With.Message.Contains(expected).And.Property(nameof(CliException.ExitCode)).EqualTo(ExitCode.Invalid));

    [Test]
    public void Choose_NoRuns_IsUnreachable() =>
        Assert.That(() => LocalCoordinators.Choose<string>([], null),
            Throws.TypeOf<CliException>().With.Property(nameof(CliException.ExitCode)).EqualTo(ExitCode.Unreachable));

    [TestCase(RunState.Holding, false)]
    [TestCase(RunState.Draining, false)]
    [TestCase(RunState.Completed, true)]
    [TestCase(RunState.Failed, true)]
    public void RequireGoingOn_State_RefusesWhatHasEnded(RunState state, bool refused) =>
        Assert.That(() => LocalCoordinators.RequireGoingOn(Run("r") with { State = state }, "scale"),
            refused ? Throws.TypeOf<CliException>().With.Message.Contains("nothing to scale") : Throws.Nothing);

    private static RunView Run(string id) => new() { Id = id, State = RunState.Holding };
}
