using LoadHarness.Coordinator.Runs;

namespace LoadHarness.Coordinator.Tests.Runs;

public sealed class RunStateTests
{
    // One letter a state, in order: P(ending) p(reparing) R(amping) H(olding) D(raining) C(ompleted) S(topped) F(ailed).
    [TestCase(RunState.Pending, ".p....SF")]
    [TestCase(RunState.Preparing, "..R.D..F")]
    [TestCase(RunState.Ramping, "...HD..F")]
    [TestCase(RunState.Holding, "..R.D..F")]
    [TestCase(RunState.Draining, ".....CSF")]
    [TestCase(RunState.Completed, "........")]
    [TestCase(RunState.Stopped, "........")]
    [TestCase(RunState.Failed, "........")]
    public void CanBecome_EveryPair_IsAsTheTableSays(RunState from, string allowed)
    {
        var states = Enum.GetValues<RunState>();

        Assert.That(states, Has.Length.EqualTo(allowed.Length));
        Assert.Multiple(() =>
        {
            for (var i = 0; i < states.Length; i++)
                Assert.That(from.CanBecome(states[i]), Is.EqualTo(allowed[i] != '.'), $"{from} to {states[i]}");
        });
    }

    [Test]
    public void HasEnded_FinalStates_Only() => Assert.That(
        Enum.GetValues<RunState>().Where(s => s.HasEnded()),
        Is.EqualTo(new[] { RunState.Completed, RunState.Stopped, RunState.Failed }));

    [Test]
    public void RunState_NamesAndNumbers_AreThoseOfTheContract() => Assert.That(
        Enum.GetValues<RunState>().Select(s => (s.ToString(), (int)s)),
        Is.EqualTo(Enum.GetValues<V1.RunState>().Where(s => s != V1.RunState.Unspecified).Select(s => (s.ToString(), (int)s))));
}
