using System.Net;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using Assignment = LoadHarness.Agent.Assignments.Assignment;
using BlockRange = LoadHarness.Protos.BlockRange;
using Slice = LoadHarness.Protos.Slice;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>Blocks that are given back, and sources that go.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerBlocksTests
{
    private const int First = 10_240;
    private RunnerFixture _run = null!;
    private WatchfulTarget _target = null!;

    [SetUp]
    public void SetUp()
    {
        _run = new RunnerFixture();
        _target = WatchfulTarget.Start(LoopbackAddress.Next());
    }

    [TearDown]
    public void TearDown()
    {
        _run.Dispose();
        _target.Dispose();
    }

    [Test]
    public void Retire_ABlockWithConnections_KeepsThemAndIsReportedOnceTheyHaveEndedAndRested()
    {
        var hold = _run.Reach(Hold(400, Blocks(0), Blocks(1)));
        var retiring = Next(hold, 400, Blocks(0), Blocks(1, retiring: true));
        _run.Apply(retiring);
        _run.WaitFor(() => _run.Status?.Revision == retiring.Revision && _run.Now.FreeTuples < 112, "the second block to retire");
        Assert.That((_run.Now.Established, _run.Status!.EmptyBlocks.Length), Is.EqualTo((400, 0)), "what lives in it stays");

        var early = Next(retiring, 100, Blocks(0));
        _run.Apply(early);
        _run.WaitFor(() => _run.Status?.Refused is not null, "a refusal");
        var refused = _run.Status!.Refused!;

        // The newest go first: those of both blocks.
        var none = Next(retiring, 0, Blocks(0), Blocks(1, retiring: true));
        _run.Apply(none);
        _run.WaitFor(() => _run.Status?.EmptyBlocks.Length == 1, "the block to be empty");
        var last = Next(none, 200, Blocks(0));
        _run.Reach(last);

        Assert.Multiple(() =>
        {
            Assert.That(refused.Field, Is.EqualTo("slice.blocks"));
            Assert.That(refused.Message, Does.Contain("10496-10751").And.Contain("still has live or resting tuples"));
            Assert.That(_run.Status!.EmptyBlocks, Is.Empty);
            Assert.That(_run.Failures, Is.Empty);
        });
    }

    [Test]
    public void Prepare_ABlockThatDoesNotRetireIsMissing_IsRefusedByName()
    {
        var hold = _run.Reach(Hold(10, Blocks(0), Blocks(1)));

        _run.Apply(Next(hold, 10, Blocks(0)));

        _run.WaitFor(() => _run.Status?.Refused is not null, "a refusal");
        Assert.That(_run.Status!.Refused!.Message, Does.Contain($"{_run.Source} ports 10496-10751").And.Contain("let it retire first"));
    }

    [Test]
    public void Hold_SourceAddressGoesAwayAndComesBack_TheOtherSourceTakesOverAndOneFailureIsCounted()
    {
        using var space = NetworkNamespace.Create();
        foreach (var address in new[] { "127.202.0.1/32", "127.202.0.2/32" })
            space.AddAddress(address);
        space.Ip("address", "del", "127.0.0.1/8", "dev", "lo");
        space.AddAddress("127.0.0.1/32");
        using var run = space.Enter(() => new RunnerFixture { Source = IpAddress.From(IPAddress.Parse("127.202.0.1")), Sources = 2 });
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, space, after: TimeSpan.FromHours(1));
        run.Apply(run.Hold(IPAddress.Loopback, target.EndPoint.Port, 250, 50));
        run.WaitFor(() => run.Sum(c => c.Opened) > 20, "20 opened");

        space.Ip("address", "del", "127.202.0.1/32", "dev", "lo");

        run.WaitFor(() => run.Status?.GoneSources.Length == 1 && run.Now.Established == 250, "the other source to take over");
        var finding = run.Status!.Findings.Single(f => f.Subject == "source address");
        space.AddAddress("127.202.0.1/32");
        run.WaitFor(() => run.Status?.GoneSources.Length == 0, "the address to be found again");

        Assert.Multiple(() =>
        {
            Assert.That(finding.Message, Does.Contain("127.202.0.1").And.Contain("ip addr add 127.202.0.1/32"));
            Assert.That(run.Failures, Is.EqualTo(new Dictionary<(FailureStage, FailureParty, FailureCause), long>
            {
                [(FailureStage.SourceBind, FailureParty.Us, FailureCause.AddressGone)] = 1,
            }));
            Assert.That(run.Status!.Findings.Select(f => f.Subject), Has.None.EqualTo("source address"));
        });
    }

    private BlockRange Blocks(int group, bool retiring = false) => new(new IpRange(_run.Source, 1), First + (group * 256), 1, retiring);

    private static Slice Slice(BlockRange[] blocks) => new([.. blocks], [], TimeSpan.FromSeconds(1));

    private Assignment Hold(long goal, params BlockRange[] blocks) =>
        _run.Hold(_target.EndPoint.Address, _target.EndPoint.Port, goal, 2000) with { Slice = Slice(blocks) };

    private Assignment Next(Assignment before, long goal, params BlockRange[] blocks) => _run.Next(before, a => a with
    {
        Share = goal,
        Slice = Slice(blocks),
        Schedule = new([new(TimeSpan.Zero, goal)], 2000),
    });
}
