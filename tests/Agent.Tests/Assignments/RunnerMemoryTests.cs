using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Safety;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>What a run does when memory runs short, told by a reader of the test's own.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerMemoryTests
{
    private const long Giga = 1 << 30;
    private static readonly MemoryReading _plenty = new(Giga, Giga, 0, 1000);
    private volatile Tuple<MemoryReading> _memory = new(_plenty);
    private int _looks;
    private RunnerFixture _run = null!;
    private WatchfulTarget _target = null!;

    [SetUp]
    public void SetUp()
    {
        _run = new RunnerFixture(memory: () =>
        {
            Interlocked.Increment(ref _looks);
            return _memory.Item1;
        });
        _target = WatchfulTarget.Start(LoopbackAddress.Next());
    }

    [TearDown]
    public void TearDown()
    {
        _run.Dispose();
        _target.Dispose();
    }

    [Test]
    public void ReadHost_ThisHost_TellsSomethingSensible()
    {
        var reading = MemoryWatch.ReadHost()!.Value;

        Assert.Multiple(() =>
        {
            Assert.That(reading.FreeBytes, Is.Positive.And.LessThan(reading.TotalBytes));
            Assert.That(reading.TcpHighPages, Is.Positive);
        });
    }

    [Test]
    public void Hold_MemoryRunsShort_StopsGrowingWithAFindingAndGoesOnLater()
    {
        _run.Apply(_run.Hold(_target.EndPoint.Address, _target.EndPoint.Port, 250, 50));
        _run.WaitFor(() => _run.Now.Established > 20, "20 ESTABLISHED");

        _memory = new(_plenty with { FreeBytes = 1 << 20 });
        _run.WaitFor(() => _run.Last?.Health.GrowthStop == GrowthStop.Memory && _run.Now.NotOffered > 20, "the stop");
        var stopped = _run.Now.Established;
        var samples = _run.Samples.Count;
        _run.WaitFor(() => _run.Samples.Count >= samples + 2, "two more seconds");
        var (still, finding) = (_run.Now.Established, _run.Status!.Findings.Single());
        _memory = new(_plenty);
        _run.WaitFor(() => _run.Now.Established == 250, "the goal");

        Assert.Multiple(() =>
        {
            Assert.That(still, Is.EqualTo(stopped).And.LessThan(250));
            Assert.That(finding.Message, Does.Contain("nothing more is opened").And.Contain("256 MB"));
            Assert.That(_run.Failures, Is.Empty);
            Assert.That(_run.Last!.Health.BaseRssBytes, Is.Positive);
        });
    }

    [Test]
    public void Drain_TcpMemoryRunsShort_WaitsAndSendsTheFinsLater()
    {
        var hold = _run.Reach(_run.Hold(_target.EndPoint.Address, _target.EndPoint.Port, 200, 2000));
        TcpMemoryRunsShort();

        _run.Apply(_run.Next(hold, a => a with { Phase = Phase.Drained }));
        _run.WaitFor(() => _run.Sum(c => c.DrainPausedMillis) > 500, "half a second of waiting");
        var sent = _target.Count(ConnectionEnd.Fin);
        _memory = new(_plenty);
        _run.WaitFor(() => _run.Status!.Phase == Phase.Drained, "DRAINED");

        Assert.Multiple(() =>
        {
            Assert.That(sent, Is.Zero);
            Assert.That(() => _target.Count(ConnectionEnd.Fin), Is.EqualTo(200).After(60_000, 20));
            Assert.That(_run.Sum(c => c.Aborted), Is.Zero);
            Assert.That(_run.Failures, Is.Empty);
        });
    }

    [Test]
    public void Drain_TcpMemoryStaysShort_ResetsAtTheDeadline()
    {
        var hold = _run.Reach(_run.Hold(_target.EndPoint.Address, _target.EndPoint.Port, 100, 2000));
        TcpMemoryRunsShort();

        _run.Drain(hold, TimeSpan.FromSeconds(2));

        Assert.Multiple(() =>
        {
            Assert.That(_run.Sum(c => c.Aborted), Is.EqualTo(100));
            Assert.That(() => _target.Count(ConnectionEnd.Reset), Is.EqualTo(100).After(60_000, 20));
        });
    }

    // What was found is told to the reactors before the next look.
    private void TcpMemoryRunsShort()
    {
        _memory = new(_plenty with { TcpPages = 950 });
        var looks = Volatile.Read(ref _looks);
        _run.WaitFor(() => Volatile.Read(ref _looks) >= looks + 3, "somebody to look at the memory");
    }
}
