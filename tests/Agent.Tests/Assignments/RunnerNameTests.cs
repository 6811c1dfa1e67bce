using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using Assignment = LoadHarness.Agent.Assignments.Assignment;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>Names are asked for again when an assignment is taken, whatever addresses it carries.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerNameTests
{
    private readonly WatchfulTarget _target = WatchfulTarget.Start(LoopbackAddress.Next());
    private readonly ConcurrentQueue<string> _asked = [];
    private Func<IPAddress[]> _means = () => [];
    private RunnerFixture _run = null!;

    [SetUp]
    public void SetUp()
    {
        AllowList.TryParse(["127.0.0.0/8"], out var allowList, out _);
        _means = () => [_target.EndPoint.Address];
        _run = new RunnerFixture(
            name =>
            {
                _asked.Enqueue(name);
                return _means();
            },
            new AgentPolicy(allowList!));
    }

    [TearDown]
    public void TearDown()
    {
        _run.Dispose();
        _target.Dispose();
    }

    [Test]
    public void Apply_TheNameMeansTheSame_ConnectsWithoutAWord()
    {
        var hold = _run.Reach(Named());

        Assert.That((_asked.Distinct().Single(), _run.Status!.Findings.Length), Is.EqualTo(("target.example", 0)));
        _run.Drain(hold);
        Assert.That(_asked, Has.Count.EqualTo(1), "draining asks nothing");
    }

    [TestCase("10.1.2.3")]
    [TestCase("::ffff:10.1.2.3")]
    [TestCase("64:ff9b::10.1.2.3")]
    [TestCase("64:ff9b::127.0.0.1")]
    [TestCase("169.254.169.254")]
    public void Apply_TheNameMeansAForbiddenAddress_IsRefusedThoughTheAssignedOneIsAllowed(string forbidden)
    {
        _means = () => [_target.EndPoint.Address, IPAddress.Parse(forbidden)];

        _run.Apply(Named());
        _run.WaitFor(() => _run.Status?.Refused is not null, "a refusal");
        Thread.Sleep(200);

        var refused = _run.Status!.Refused!;
        var shown = IpAddress.From(IPAddress.Parse(forbidden)).ToString();
        Assert.That((refused.Field, refused.Rule), Is.EqualTo(("destinations[0]", "allow-list")));
        Assert.That(refused.Message, Does.Contain("target.example").And.Contain(shown));
        Assert.That(refused.Message, Does.Contain("--allow").Or.Contain("no entry can allow"));
        Assert.That(_target.Accepted, Is.Zero);
    }

    [Test]
    public void Apply_TheNameMeansOtherAllowedAddresses_GoesOnWithThoseAssignedAndSaysSo()
    {
        _means = () => [IPAddress.Parse("127.9.9.9")];

        _run.Reach(Named());

        var finding = _run.Status!.Findings.Single();
        Assert.That((finding.Severity, finding.Subject), Is.EqualTo((Finding.Types.Severity.Warning, "target.example")));
        Assert.That(finding.Message, Does.Contain("means 127.9.9.9 by now").And.Contain(_target.EndPoint.Address.ToString()));
    }

    [Test]
    public void Apply_TheNameIsGone_GoesOnAndSaysSo()
    {
        _means = () => throw new SocketException((int)SocketError.HostNotFound);

        _run.Reach(Named());

        Assert.That(_run.Status!.Findings.Single().Message, Does.Contain("target.example cannot be resolved any more"));
    }

    [Test]
    public void Apply_TheNameTurnsForbiddenWhileItRuns_RefusesTheChangeAndKeepsTheRun()
    {
        var hold = _run.Reach(Named());
        _means = () => [IPAddress.Parse("10.1.2.3")];

        _run.Apply(_run.Next(hold, a => a with { Schedule = RunnerFixture.Ramp(TimeSpan.Zero, 0, 40, 1000), Share = 40 }));
        _run.WaitFor(() => _run.Status?.Refused is not null, "a refusal");

        Assert.That(_run.Now.Established, Is.EqualTo(20));
        Assert.That(() => _target.Accepted, Is.EqualTo(20).After(60_000, 10));
    }

    [Test]
    public void Apply_TheResolverHangs_TheRunIsSampledMeanwhile()
    {
        // Not disposed: a resolver that comes late still looks at it.
        var release = new ManualResetEventSlim();
        var hold = _run.Reach(Named());
        _means = () =>
        {
            release.Wait();
            return [_target.EndPoint.Address];
        };

        var next = _run.Next(hold, a => a);
        _run.Apply(next);
        var before = _run.Samples.Count;
        _run.WaitFor(() => _run.Samples.Count >= before + 2, "two more samples");
        Assert.That(_run.Status!.Revision, Is.EqualTo(hold.Revision));
        release.Set();

        _run.WaitFor(() => _run.Status!.Revision == next.Revision, "the newer revision");
    }

    [Test]
    public void Apply_DrainedWhileTheResolverHangs_Drains()
    {
        // Not disposed: a resolver that comes late still looks at it.
        var release = new ManualResetEventSlim();
        var hold = _run.Reach(Named());
        _means = () =>
        {
            release.Wait();
            return [];
        };

        _run.Apply(_run.Next(hold, a => a));
        _run.Drain(hold);
        release.Set();
    }

    private Assignment Named()
    {
        var hold = _run.Hold(_target.EndPoint.Address, _target.EndPoint.Port, 20, 1000);
        return hold with { Destinations = [.. hold.Destinations.Select(d => d with { Name = "target.example", LookUp = true })] };
    }
}
