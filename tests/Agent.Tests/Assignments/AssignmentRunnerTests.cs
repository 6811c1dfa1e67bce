using System.Collections.Concurrent;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Backend;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.KernelView;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Assignment = LoadHarness.Agent.Assignments.Assignment;
using BlockRange = LoadHarness.Protos.BlockRange;
using Destination = LoadHarness.Protos.Destination;
using Revision = LoadHarness.Protos.Revision;
using Schedule = LoadHarness.Protos.Schedule;
using SchedulePoint = LoadHarness.Protos.SchedulePoint;
using Slice = LoadHarness.Protos.Slice;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>The runner with real reactors and a real backend, in this process.</summary>
[NonParallelizable]
public sealed class AssignmentRunnerTests
{
    private readonly IpAddress _source = IpAddress.From(LoopbackAddress.Next());
    private readonly IpAddress _target = IpAddress.From(LoopbackAddress.Next());
    private readonly ConcurrentQueue<AgentSample> _samples = new();
    private CoordinatorClock _clock = null!;
    private AssignmentRunner _runner = null!;
    private BackendServer _backend = null!;

    [SetUp]
    public void SetUp()
    {
        _samples.Clear();
        _clock = new CoordinatorClock();
        _clock.Observe(0, 0, 0);
        _runner = new AssignmentRunner(_clock, new Lease(), new AgentPolicy(AllowList.Loopback), _samples.Enqueue, NullLoggerFactory.Instance);
        _backend = new BackendServer(new BackendOptions { Listen = [.. Enumerable.Range(7000, 10).Select(p => (_target, p))], Reactors = 1 });
    }

    [TearDown]
    public void TearDown()
    {
        _runner.Dispose();
        _backend.Dispose();
    }

    [Test]
    public void Apply_HoldOfTwoThousand_IsHeldCountedByTheKernelAndDrained()
    {
        _backend.Start();
        _runner.Apply(Hold(Phase.Prepared, 1));
        WaitFor(() => _runner.Status?.Phase == Phase.Prepared, "PREPARED");
        _runner.Apply(Hold(Phase.Running, 2));
        WaitFor(() => _samples.Any(s => s.Counts.Established == 2000 && s.Kernel?.States[TcpState.Established] == 2000), "2,000 ESTABLISHED");
        _runner.Apply(Hold(Phase.Drained, 3));
        WaitFor(() => _runner.Status?.Phase == Phase.Drained, "DRAINED");

        Assert.Multiple(() =>
        {
            Assert.That(_runner.Status?.Revision, Is.EqualTo(new Revision(1, 3)));
            Assert.That(_samples.Sum(s => s.Counts.Opened), Is.EqualTo(2000));
            Assert.That(_samples.Sum(s => s.Counts.Closed), Is.EqualTo(2000));
            Assert.That(_samples.SelectMany(s => s.Failures), Is.Empty);
            Assert.That(_samples.Last().Counts.Established, Is.Zero);
            Assert.That(_backend.Counts.Accepted, Is.EqualTo(2000));
        });
    }

    private void WaitFor(Func<bool> condition, string what)
    {
        var end = Environment.TickCount64 + 60_000;
        while (!condition())
        {
            Assert.That(Environment.TickCount64, Is.LessThan(end), () =>
                $"waited for {what}; status {_runner.Status}; last sample {_samples.LastOrDefault()}; backend {_backend.Counts}");
            Thread.Sleep(20);
        }
    }

    private Assignment Hold(Phase phase, ulong revision) => new()
    {
        RunId = "run",
        Revision = new Revision(1, revision),
        StoreId = "store",
        Phase = phase,
        Share = 2000,
        Slice = new Slice([new BlockRange(new IpRange(_source, 1), 10240, 4)], [], TimeSpan.FromSeconds(60)),
        Destinations = [new Destination(new IpRange(_target, 1), new PortSpan(7000, 7009), "")],
        Schedule = new Schedule([new SchedulePoint(TimeSpan.Zero, 0), new(TimeSpan.FromSeconds(1), 2000), new(TimeSpan.FromHours(1), 2000)], 2000),
        ConnectTimeout = TimeSpan.FromSeconds(20),
        StartNanos = Clock.BoottimeNanos,
        DrainTimeout = TimeSpan.FromSeconds(20),
        MaxDuration = TimeSpan.FromHours(1),
        KernelView = new KernelViewScope(
            [new Destination(new IpRange(_target, 1), new PortSpan(7000, 7009), "")],
            [new BlockRange(new IpRange(_source, 1), 10240, 4)],
            0.05),
    };
}
