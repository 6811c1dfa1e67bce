using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using Assignment = LoadHarness.Agent.Assignments.Assignment;
using BlockRange = LoadHarness.Protos.BlockRange;
using Revision = LoadHarness.Protos.Revision;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>A coordinator on another store, and slices that no planner makes.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerStrangerTests
{
    private RunnerFixture _run = null!;

    [SetUp]
    public void SetUp() => _run = new RunnerFixture();

    [TearDown]
    public void TearDown() => _run.Dispose();

    [TestCase(Phase.Drained)]
    [TestCase(Phase.Running)]
    public void Apply_SameRunOutOfAnotherStore_IsRefusedAndTheRunGoesOn(Phase phase)
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 10, 1000));

        _run.Apply(hold with { StoreId = "another", Revision = new Revision(99, 1), Phase = phase });
        var answer = _run.WaitForAnswer(s => s.Refused is not null, "a refusal");

        Assert.That((answer.Refused!.Field, answer.Held), Is.EqualTo(("store_id", 10L)));
        Assert.That(_run.Runner.WorksForStore, Is.EqualTo("store"), "the other one does not keep its lease alive either");
        _run.WaitFor(() => _run.Status is { StoreId: "store", Phase: Phase.Running }, "its own status again");
        // What its own coordinator says is not older than what the stranger said.
        _run.Drain(hold);
    }

    [Test]
    public void WorksForStore_IdleAndBusyAndIdleAgain_IsThatOfTheRunInHand()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var before = _run.Runner.WorksForStore;
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 1, 1000));
        var during = _run.Runner.WorksForStore;
        _run.Apply(_run.Next(hold, a => a with { RunId = "other run", StoreId = "another" }));
        _run.WaitForAnswer(s => s.Refused?.Rule == "busy", "busy");
        var refused = _run.Runner.WorksForStore;
        _run.Drain(hold);

        Assert.That(new[] { before, during, refused, _run.Runner.WorksForStore }, Is.EqualTo(new[] { null, "store", "store", null }));
    }

    [Test]
    public void Apply_OneBlockTwice_IsRefusedByName()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Hold(target.EndPoint.Address, target.EndPoint.Port, 10, 1000);
        var block = hold.Slice.Blocks[0];

        _run.Apply(hold with { Slice = hold.Slice with { Blocks = [block, new BlockRange(block.Sources, block.FirstPort - 256, 2)] } });
        _run.WaitFor(() => _run.Status?.Refused is not null, "a refusal");

        Assert.That((_run.Status!.Refused!.Field, _run.Status.Refused.Rule), Is.EqualTo(("slice.blocks", "overlap")));
        _run.Reach(_run.Next(hold, (Assignment a) => a));
    }
}
