using System.Collections.Immutable;
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
using LoadHarness.V1;
using Schedule = LoadHarness.Protos.Schedule;
using WorkloadShare = LoadHarness.Agent.Workloads.WorkloadShare;

namespace LoadHarness.Agent.Tests.Engine;

/// <summary>One reactor with a role, asked for snapshots as the runner does.</summary>
internal sealed class ReactorFixture : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);
    private readonly EventFd _bell = new();
    private readonly ReactorSnapshot _snapshot = new();
    private ReactorCounters _sum;

    public ReactorFixture(IReactorRole role) => Reactor = new Reactor(0, ResourceUsage.RaiseDescriptorLimit(), privateTable: true, role, _bell);

    public Reactor Reactor { get; }

    /// <summary>Failures so far.</summary>
    public FailureTable Failures { get; } = new();

    /// <summary>Latencies so far by kind, but for <see cref="PeerCloseAges"/>.</summary>
    public Dictionary<HistogramKind, LongHistogram> Latencies { get; } = [];

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
        WorkloadPlan? plan = null) =>
        Connecting(transport, target, allowed, source, connections, [new(1, plan ?? new WorkloadPlan.Hold())], blocks, rest);

    /// <summary>A reactor whose connections do several things, over plain TCP or another transport.</summary>
    public static ReactorFixture Connecting(
        (IpAddress, int) target, int connections, ImmutableArray<WorkloadShare> shares, double requestsPerSecond = 0, ITransport? transport = null) =>
        Connecting(
            transport ?? new PlainTransport(), target, AllowList.Loopback, IpAddress.From(LoopbackAddress.Next()), connections, shares,
            requestsPerSecond: requestsPerSecond);

    private static ReactorFixture Connecting(
        ITransport transport, (IpAddress, int) target, AllowList allowed, IpAddress source, int connections, ImmutableArray<WorkloadShare> shares,
        int blocks = 1, TimeSpan rest = default, double requestsPerSecond = 0)
    {
        var cursor = new EndpointCursor([target], [], rest);
        var workload = WorkloadFactory.Create(shares);
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
            RequestsPerSecond = requestsPerSecond,
        };
        fixture.Goal = goal;
        fixture.Reactor.Post(new ConnectCommand.Pursue(goal, [.. Enumerable.Range(0, blocks).Select(i => (source, 10_240 + (i * 256)))], []));
        return fixture;
    }

    /// <summary>Asks for a snapshot.</summary>
    /// <returns>Gauges as they are, counters since the start.</returns>
    public ReactorCounters Ask()
    {
        var snapshot = _snapshot;
        snapshot.Clear();
        Reactor.Post(new ReactorCommand.TakeSnapshot(snapshot));
        while (!snapshot.IsFilled && Reactor.Fault is null)
            _bell.Wait(TimeSpan.FromMilliseconds(50));
        snapshot.Failures.MoveTo(Failures);
        foreach (var bucket in snapshot.Latencies.PeerCloseAges.RecordedValues())
            PeerCloseAges.AddRange(Enumerable.Repeat(bucket.ValueIteratedTo / 1000.0, (int)bucket.CountAtValueIteratedTo));
        foreach (var kind in snapshot.Latencies.Kinds)
            snapshot.Latencies[kind].AddTo(Latencies.TryGetValue(kind, out var sum) ? sum : Latencies[kind] = HistogramLayout.Create());
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
        counters.Resumed += _sum.Resumed;
        counters.RequestsScheduled += _sum.RequestsScheduled;
        counters.RequestsOffered += _sum.RequestsOffered;
        counters.RequestsCompleted += _sum.RequestsCompleted;
        counters.RequestsFailed += _sum.RequestsFailed;
        counters.RequestsNotOffered += _sum.RequestsNotOffered;
        counters.SkippedTuples += _sum.SkippedTuples;
        counters.NotOffered += _sum.NotOffered;
        counters.Late += _sum.Late;
        return _sum = counters;
    }

    /// <summary>Latencies of a kind above a bound.</summary>
    public long CountAbove(HistogramKind kind, TimeSpan bound) =>
        Latencies[kind].RecordedValues().Where(v => v.ValueIteratedTo > bound.TotalMicroseconds).Sum(v => v.CountAddedInThisIterationStep);

    /// <summary>Failures of one kind so far.</summary>
    public long FailuresOf(FailureStage stage, FailureCause cause, int code) => AllFailures.Where(f => (f.Stage, f.Cause, f.Errno) == (stage, cause, code)).Sum(f => f.Total);

    /// <summary>All failures so far, for a message.</summary>
    public string DescribeFailures() => string.Join(", ", AllFailures.Select(f => $"{f.Stage}/{f.Cause}/{f.Errno}: {f.Total}"));

    private IEnumerable<FailureTable.Entry> AllFailures => Enumerable.Range(0, Failures.Count).Select(i => Failures[i]);

    /// <summary>Managed bytes that the reactor's thread has allocated so far.</summary>
    public long AllocatedBytes()
    {
        Ask();
        return _snapshot.AllocatedBytes;
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
