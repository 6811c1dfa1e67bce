using System.Net;
using HdrHistogram;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Safety;
using LoadHarness.Agent.Transports;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using Schedule = LoadHarness.Protos.Schedule;

namespace LoadHarness.Agent.Tests.Engine;

/// <summary>One reactor with a role, asked for snapshots as the runner does.</summary>
internal sealed class ReactorFixture : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);
    private readonly EventFd _bell = new();
    private ReactorCounters _sum;

    public ReactorFixture(IReactorRole role) => Reactor = new Reactor(0, ResourceUsage.RaiseDescriptorLimit(), privateTable: true, role, _bell);

    public Reactor Reactor { get; }

    /// <summary>Failures so far.</summary>
    public FailureTable Failures { get; } = new();

    /// <summary>What a connecting one was told to reach.</summary>
    public ReactorGoal Goal { get; private set; } = null!;

    /// <summary>Ages at which the peer ended connections, in milliseconds, oldest news first.</summary>
    public List<double> PeerCloseAges { get; } = [];

    /// <summary>A reactor that connects to one address over a transport.</summary>
    public static ReactorFixture Connecting(ITransport transport, IPAddress target, int port, int connections, int blocks, TimeSpan rest = default) =>
        Connecting(transport, (IpAddress.From(target), port), AllowList.Loopback, IpAddress.From(LoopbackAddress.Next()), connections, blocks, rest);

    /// <summary>A reactor that is told to connect to one address, whatever its allow-list says.</summary>
    public static ReactorFixture Connecting(
        ITransport transport, (IpAddress, int) target, AllowList allowed, IpAddress source, int connections, int blocks = 1, TimeSpan rest = default,
        ConnectionLife? churn = null)
    {
        var cursor = new EndpointCursor([target], [], rest);
        IWorkload workload = churn is null ? new HoldWorkload(transport) : new ChurnWorkload(transport, churn);
        var fixture = new ReactorFixture(new ConnectRole(cursor, transport, workload, new Lease(), allowed.ToTable()));
        fixture.Reactor.Start();
        var goal = new ReactorGoal
        {
            Schedule = new Schedule([new(TimeSpan.Zero, connections)], 1_000_000),
            Base = new GoalPart(0, 0, 0),
            Growth = new GoalPart(0, connections, connections),
            StartNanos = Clock.BoottimeNanos,
            MaxDuration = TimeSpan.FromHours(1),
            ConnectTimeoutNanos = 20_000_000_000,
            DrainTimeout = TimeSpan.FromSeconds(10),
        };
        fixture.Goal = goal;
        fixture.Reactor.Post(new ConnectCommand.Pursue(goal, [.. Enumerable.Range(0, blocks).Select(i => (source, 10_240 + (i * 256)))], []));
        return fixture;
    }

    /// <summary>Asks for a snapshot.</summary>
    /// <returns>Gauges as they are, counters since the start.</returns>
    public ReactorCounters Ask()
    {
        var snapshot = new ReactorSnapshot();
        Reactor.Post(new ReactorCommand.TakeSnapshot(snapshot));
        while (!snapshot.IsFilled && Reactor.Fault is null)
            _bell.Wait(TimeSpan.FromMilliseconds(50));
        snapshot.Failures.MoveTo(Failures);
        foreach (var bucket in snapshot.PeerCloseAges.RecordedValues())
            PeerCloseAges.AddRange(Enumerable.Repeat(bucket.ValueIteratedTo / 1000.0, (int)bucket.CountAtValueIteratedTo));
        var counters = snapshot.Counters;
        counters.StormClosed += _sum.StormClosed;
        counters.StormOpened += _sum.StormOpened;
        counters.Opened += _sum.Opened;
        counters.Reopened += _sum.Reopened;
        counters.ClosedByPeer += _sum.ClosedByPeer;
        counters.Closed += _sum.Closed;
        counters.Aborted += _sum.Aborted;
        counters.Failed += _sum.Failed;
        counters.BytesReceived += _sum.BytesReceived;
        counters.SkippedTuples += _sum.SkippedTuples;
        counters.NotOffered += _sum.NotOffered;
        counters.Late += _sum.Late;
        return _sum = counters;
    }

    /// <summary>Managed bytes that the reactor's thread has allocated so far.</summary>
    public long AllocatedBytes()
    {
        var snapshot = new ReactorSnapshot();
        Reactor.Post(new ReactorCommand.TakeSnapshot(snapshot));
        SpinWait.SpinUntil(() => snapshot.IsFilled, _patience);
        return snapshot.AllocatedBytes;
    }

    public ReactorCounters WaitFor(Func<ReactorCounters, bool> condition, string what)
    {
        var end = Clock.BoottimeNanos + (_patience.Ticks * 100);
        while (true)
        {
            var counters = Ask();
            if (condition(counters))
                return counters;
            if (Clock.BoottimeNanos > end)
                Assert.Fail($"waited for {what}; established {counters.Established}, confirmed {counters.Confirmed}, closed by peer {counters.ClosedByPeer}; {Reactor.Fault}");
            Thread.Sleep(10);
        }
    }

    public void Dispose()
    {
        Reactor.Dispose();
        _bell.Dispose();
    }
}
