using System.Collections.Immutable;
using CsCheck;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.KernelView;
using LoadHarness.Agent.Link;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;
using LoadHarness.V1;
using Assignment = LoadHarness.V1.Assignment;
using SchedulePoint = LoadHarness.Protos.SchedulePoint;
using SocketCounts = LoadHarness.Agent.Assignments.SocketCounts;

namespace LoadHarness.Agent.Tests.Link;

public class WireTranslationTests
{
    private static readonly LinkGrant _grant = new("session", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), "store", 1);

    [Test]
    public void ToAssignment_EveryField_IsTaken()
    {
        var assignment = WireTranslation.ToAssignment(WireSamples.Assignment(), _grant);

        Assert.That(assignment.Revision, Is.EqualTo(new Protos.Revision(3, 7)));
        Assert.That(assignment.Destinations.Single().ToString(),
            Does.Contain("10.0.0.5-10.0.0.6").And.Contain("443-450").And.Contain("lb:443-450"));
        Assert.That(assignment.Slice.Blocks.Single().Count, Is.EqualTo(800));
        Assert.That(assignment.Slice.ExcludedPorts, Is.EqualTo(new[] { new PortSpan(8080, 8090) }));
        Assert.That(assignment.Slice.Rest, Is.EqualTo(TimeSpan.FromSeconds(60)));
        Assert.That(assignment.Schedule.ConnectsPerSecond, Is.EqualTo(1000));
        Assert.That(assignment.Schedule.Points, Has.Length.EqualTo(4).And.Member(new SchedulePoint(TimeSpan.FromSeconds(10), 5000)));
        Assert.That((assignment.ConnectTimeout, assignment.DrainTimeout, assignment.MaxDuration),
            Is.EqualTo((TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(11), TimeSpan.FromHours(24))));
        Assert.That((assignment.ExpectGreeting, assignment.StartNanos), Is.EqualTo((true, (long?)123_456_789)));
        Assert.That(assignment.KernelView!.CoreShare, Is.EqualTo(0.1));
        Assert.That(assignment.KernelView.Destinations, Is.EqualTo(assignment.Destinations));
        Assert.That(assignment.KernelView.Owned.Single().FirstPort, Is.EqualTo(1024));
    }

    [Test]
    public void ToAssignment_Storm_IsTaken()
    {
        var message = WireSamples.Assignment();
        message.Storm = Storm();

        Assert.That(WireTranslation.ToAssignment(message, _grant).Storm,
            Is.EqualTo(new StormOrder(3, TimeSpan.FromSeconds(12.5), 0.1, TimeSpan.FromSeconds(1), ByReset: true)));
        Assert.That(WireTranslation.ToAssignment(WireSamples.Assignment(), _grant).Storm, Is.Null);
    }

    [Test]
    public void ToAssignment_ChurnWeightAndRetiring_AreTaken()
    {
        var message = WireSamples.Assignment();
        message.Workload.Churn = new Churn { Lifetime = new Duration { Nanos = 250_000_000 }, Close = CloseMethod.Rst };
        message.Destinations[0].Weight = 7;
        message.Slice.Blocks[0].Retiring = true;

        Assert.Multiple(() =>
        {
            Assert.That(WireTranslation.ToAssignment(message, _grant).Churn, Is.EqualTo(new WorkloadPlan.Churn(new(LifetimeSpread.Fixed, TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(250)), CloseMethod.Rst)));
            Assert.That(WireTranslation.ToAssignment(WireSamples.Assignment(), _grant).Churn, Is.Null, "a hold");
            Assert.That(WireTranslation.ToAssignment(message, _grant).Destinations[0].Weight, Is.EqualTo(7));
            Assert.That(WireTranslation.ToAssignment(WireSamples.Assignment(), _grant).Destinations[0].Weight, Is.EqualTo(1), "none given");
            Assert.That(WireTranslation.ToAssignment(message, _grant).Slice.Blocks[0].Retiring, Is.True);
        });
    }

    [Test]
    public void ToAssignment_ABackend_NeedsNoSliceNoDestinationsAndNoSchedule()
    {
        var backend = WireTranslation.ToAssignment(Backend(), _grant);

        Assert.That(backend.Backend!.Ports, Is.EqualTo(new[] { new PortSpan(443, 443), new PortSpan(9000, 9012) }), "in order, none twice");
        Assert.That((backend.Backend.Greet, backend.Share, backend.Destinations.Length, backend.Slice.BlockCount), Is.EqualTo((true, 0L, 0, 0L)));
        Assert.That((backend.KernelView!.CoreShare, backend.KernelView.ListeningPorts.Length), Is.EqualTo((0.1, 2)));
    }

    [Test]
    public void ToAssignment_ABackendWithoutPorts_IsRefusedByField()
    {
        var (none, wrong) = (Backend(), Backend());
        none.Backend.Ports.Clear();
        wrong.Backend.Ports[1].Last = 70_000;

        Assert.That(() => WireTranslation.ToAssignment(none, _grant), Throws.InstanceOf<WireException>().With.Property("Field").EqualTo("backend.ports"));
        Assert.That(() => WireTranslation.ToAssignment(wrong, _grant), Throws.InstanceOf<WireException>().With.Property("Field").EqualTo("backend.ports[1]"));
    }

    [Test]
    public void ToAssignment_ABackendsAnswers_AreTakenOverAndNotBesideAGreeting()
    {
        var (answering, wrong) = (Backend(), Backend());
        (answering.Backend.Greet, answering.Backend.Http, answering.Backend.Echo) = (false, true, true);
        wrong.Backend.Http = true;

        Assert.That(WireTranslation.ToAssignment(answering, _grant).Backend, Has.Property("Http").True.And.Property("Echo").True.And.Property("Greet").False);
        Assert.That(WireTranslation.ToAssignment(Backend(), _grant).Backend, Has.Property("Http").False.And.Property("Echo").False);
        Assert.That(() => WireTranslation.ToAssignment(wrong, _grant), Throws.InstanceOf<WireException>().With.Property("Field").EqualTo("backend.greet"));
    }

    private static Assignment Backend() => new()
    {
        RunId = "run-1",
        Revision = new() { Epoch = 3, Number = 7 },
        StoreId = "store",
        Phase = Phase.Prepared,
        RequiredCapabilities = { Capabilities.Backend },
        Backend = new()
        {
            Greet = true,
            Ports = { new[] { (9000u, 9009u), (443u, 443u), (9005u, 9010u), (9011u, 9012u) }.Select(p => new PortRange { First = p.Item1, Last = p.Item2 }) },
        },
        DrainTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(11)),
        MaxDuration = Duration.FromTimeSpan(TimeSpan.FromHours(24)),
        KernelView = new() { CoreShare = 0.1 },
    };

    private static readonly TestCaseData[] _wrong =
    [
        WrongStorm("number", s => s.Number = 0),
        WrongStorm("elapsed", s => s.Elapsed = new Duration { Seconds = -1 }),
        WrongStorm("fraction", s => s.Fraction = 0),
        WrongStorm("fraction", s => s.Fraction = 1.001),
        WrongStorm("fraction", s => s.Fraction = double.NaN),
        WrongStorm("within", s => s.Within = new Duration { Seconds = 601 }),
        WrongStorm("close", s => s.Close = CloseMethod.Unspecified),
        Wrong("run_id", a => a.RunId = ""),
        Wrong("run_id", a => a.RunId = new string('r', 129)),
        Wrong("run_id", a => a.RunId = "r\u001b[2J"),
        Wrong("store_id", a => a.StoreId = "another"),
        Wrong("store_id", a => a.StoreId = new string('s', 100_000)),
        Wrong("required_capabilities", a => a.RequiredCapabilities.Add(Enumerable.Range(0, 101).Select(i => $"c{i}"))),
        Wrong("destinations[0]", a => a.Destinations[0].Addresses.Count = 10_000),
        Wrong("destinations", a => a.Destinations.Add(Enumerable.Range(0, 1001).Select(Named))),
        Wrong("schedule.points", a => a.Schedule.Points.Add(Enumerable.Repeat(a.Schedule.Points[^1], 10_000))),
        Wrong("schedule.connects_per_second", a => a.Schedule.ConnectsPerSecond = 1e300),
        Wrong("slice.blocks", a => a.Slice.Blocks.Add(Enumerable.Repeat(a.Slice.Blocks[0], 1000))),
        Wrong("kernel_view.slices", a => a.KernelView.Slices.Add(Enumerable.Repeat(a.KernelView.Slices[0], 10_000))),
        Wrong("phase", a => a.Phase = Phase.Unspecified),
        Wrong("phase", a => a.Phase = (Phase)9),
        Wrong("start_nanos", a => a.ClearStartNanos()),
        Wrong("required_capabilities", a => a.RequiredCapabilities.Add("workload.teleport")),
        Wrong("share", a => a.Share = ulong.MaxValue),
        Wrong("slice", a => a.Slice = null),
        Wrong("slice.blocks[0].first_port", a => a.Slice.Blocks[0].FirstPort = 1023),
        Wrong("slice.blocks[0].first_port", a => a.Slice.Blocks[0].PortBlocks = 0),
        Wrong("slice.blocks[0].first_port", a => a.Slice.Blocks[0].PortBlocks = 253),
        Wrong("slice.blocks[0].first_port", a => a.Slice.Blocks[0].PortBlocks = uint.MaxValue),
        Wrong("slice.blocks[0].sources", a => a.Slice.Blocks[0].Sources = null),
        Wrong("slice.blocks[0].sources.first", a => a.Slice.Blocks[0].Sources.First = ByteString.CopyFrom(1, 2, 3)),
        Wrong("slice.blocks[0].sources.count", a => a.Slice.Blocks[0].Sources.Count = 0),
        Wrong("slice.blocks[0].sources.count", a => a.Slice.Blocks[0].Sources.Count = uint.MaxValue),
        Wrong("destinations[0].weight", a => a.Destinations[0].Weight = 1001),
        Wrong("slice.excluded_ports[0]", a => a.Slice.ExcludedPorts[0].Last = 1),
        Wrong("slice.rest", a => a.Slice.Rest = new Duration { Seconds = -1 }),
        Wrong("destinations", a => a.Destinations.Clear()),
        Wrong("destinations[0].addresses", a => a.Destinations[0].Addresses = null),
        Wrong("destinations[0].ports", a => a.Destinations[0].Ports = null),
        Wrong("destinations[0].ports", a => a.Destinations[0].Ports.First = 0),
        Wrong("destinations[0].ports", a => a.Destinations[0].Ports.Last = 65536),
        Wrong("schedule", a => a.Schedule = null),
        Wrong("schedule.connects_per_second", a => a.Schedule.ConnectsPerSecond = 0),
        Wrong("schedule.connects_per_second", a => a.Schedule.ConnectsPerSecond = double.NaN),
        Wrong("schedule.connects_per_second", a => a.Schedule.ConnectsPerSecond = double.PositiveInfinity),
        Wrong("schedule.points", a => a.Schedule.Points.Clear()),
        Wrong("schedule.points[1].elapsed", a => a.Schedule.Points[0].Elapsed = new Duration { Seconds = 11 }),
        Wrong("schedule.points[1].goal", a => a.Schedule.Points[1].Goal = ulong.MaxValue),
        Wrong("workload", a => a.Workload = null),
        Wrong("workload", a => a.Workload.ClearKind()),
        Wrong("workload.churn.lifetime", a => a.Workload.Churn = new Churn { Close = CloseMethod.Fin }),
        Wrong("workload.churn.lifetime", a => a.Workload.Churn = new Churn { Close = CloseMethod.Fin, Lifetime = new Duration { Seconds = 25 * 86_400 } }),
        Wrong("workload.churn.close", a => a.Workload.Churn = new Churn { Lifetime = new Duration { Seconds = 1 } }),
        Wrong("workload.churn.close", a => a.Workload.Churn = new Churn { Lifetime = new Duration { Seconds = 1 }, Close = (CloseMethod)9 }),
        Wrong("workload.connect_timeout", a => a.Workload.ConnectTimeout = null),
        Wrong("workload.connect_timeout", a => a.Workload.ConnectTimeout = new Duration { Nanos = -5 }),
        Wrong("drain_timeout", a => a.DrainTimeout = new Duration { Seconds = long.MaxValue }),
        Wrong("drain_timeout", a => a.DrainTimeout = new Duration { Seconds = 3601 }),
        Wrong("destinations[0].name", a => a.Destinations[0].Name = new string('a', 256)),
        Wrong("destinations[0].name", a => a.Destinations[0].Name = "a\u001b[2J"),
        Wrong("slice.blocks", a => a.Slice.Blocks[0].Sources = new() { First = ByteString.CopyFrom(127, 0, 0, 0), Count = 1 << 24 }),
        Wrong("max_duration", a => a.MaxDuration = new Duration()),
        Wrong("kernel_view.core_share", a => a.KernelView.CoreShare = 0),
        Wrong("kernel_view.core_share", a => a.KernelView.CoreShare = double.NaN),
        Wrong("kernel_view.core_share", a => a.KernelView.CoreShare = 1.5),
        Wrong("kernel_view.slices[0].blocks[0].first_port", a => a.KernelView.Slices[0].Blocks[0].FirstPort = 7),
    ];

    private static LoadHarness.V1.Destination Named(int i) => new()
    {
        Addresses = WireSamples.Range(127, 0, 0, 1, 1),
        Ports = new() { First = 80, Last = 80 },
        Name = $"n{i}",
        LookUp = true,
    };

    [Test]
    public void ToAssignment_AllPortsExcludedAHundredThousandTimes_AreExcludedOnce()
    {
        var message = WireSamples.Assignment();
        message.Slice.ExcludedPorts.Add(Enumerable.Repeat(new PortRange { First = 1, Last = 65_535 }, 90_000));

        Assert.That(WireTranslation.ToAssignment(message, _grant).Slice.ExcludedPorts, Is.EqualTo(new[] { new PortSpan(1, 65_535) }));
    }

    [TestCaseSource(nameof(_wrong))]
    public void ToAssignment_AWrongField_IsNamed(string field, Action<Assignment> spoil)
    {
        var message = WireSamples.Assignment();
        spoil(message);

        var refusal = Assert.Throws<WireException>(() => WireTranslation.ToAssignment(message, _grant))!;

        Assert.That(refusal.Field, Is.EqualTo(field));
        Assert.That(refusal.Message, Is.Not.Empty);
        var status = WireTranslation.ToRefusal(message, refusal, held: 3);
        Assert.That((status.RunId, status.Refused!.Field, status.Held), Is.EqualTo((message.RunId[..Math.Min(128, message.RunId.Length)], field, 3L)));
        Assert.That(WireTranslation.ToStatus(status).CalculateSize(), Is.LessThan(10_000), "what refuses a huge message is small");
    }

    [Test]
    public void ToAssignment_AnyBytes_AreTakenOrRefusedNeverMore()
    {
        var valid = WireSamples.Assignment().ToByteArray();
        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte).Array[1, 8].Sample(changes =>
        {
            var bytes = (byte[])valid.Clone();
            foreach (var (at, value) in changes)
                bytes[at] = value;
            Assignment message;
            try
            {
                message = Assignment.Parser.ParseFrom(bytes);
            }
            catch (InvalidProtocolBufferException)
            {
                return;
            }

            try
            {
                WireTranslation.ToAssignment(message, _grant);
            }
            catch (WireException e)
            {
                Assert.That(e.Field, Is.Not.Empty);
            }
        });
    }

    [TestCase(0, 30)]
    [TestCase(1, 1)]
    [TestCase(-1, 30)]
    [TestCase(61, 120)]
    [TestCase(365 * 86_400, 366 * 86_400)]
    [TestCase(1, 0)]
    [TestCase(1, 3601)]
    [TestCase(1, 366 * 86_400)]
    public void ToGrant_NothingToLiveBy_IsRefused(int intervalSeconds, int leaseSeconds)
    {
        var welcome = new Welcome
        {
            HeartbeatInterval = new Duration { Seconds = intervalSeconds },
            Lease = new Duration { Seconds = leaseSeconds },
            SessionId = "session",
            StoreId = "store",
        };

        Assert.That(() => WireTranslation.ToGrant(welcome), Throws.InstanceOf<WireException>());
    }

    [Test]
    public void ToMessage_ASample_KeepsEveryCount()
    {
        var source = new IpAddress(false, 0x0a000102);
        var sample = new AgentSample
        {
            RunId = "run-1",
            FromMillis = 1000,
            ToMillis = 2000,
            Counts = new Counts
            {
                Goal = 1,
                Connecting = 2,
                Handshaking = 3,
                Established = 4,
                Confirmed = 5,
                Closing = 6,
                RestingTuples = 7,
                FreeTuples = 8,
                EstablishedMax = 9,
                Scheduled = 10,
                Offered = 11,
                Opened = 12,
                Failed = 13,
                NotOffered = 14,
                Reopened = 15,
                ClosedByPeer = 16,
                Closed = 17,
                SkippedTuples = 18,
                DroppedPorts = 19,
                BytesReceived = 20,
                BytesSent = 21,
            },
            Failures = [new(FailureStage.Connect, FailureParty.Target, FailureCause.Refused, 111, 22)],
            Histograms = [new(HistogramKind.Connect, [1, 2, 3], 23)],
            Health = new Health
            {
                ReactorLagMaxMicros = 24,
                CpuMicros = 25,
                ReactorCpuMaxMicros = 26,
                RssBytes = 27,
                Saturated = true,
                Reactors = 28,
                ReactorAllocatedBytes = 29,
            },
            Kernel = new KernelReading
            {
                TakenAtNanos = 1,
                States = StateCounts.Of([(TcpState.Established, 30L)]),
                Foreign = 31,
                Wall = TimeSpan.FromMicroseconds(32),
                Cpu = TimeSpan.FromMicroseconds(33),
                Interval = TimeSpan.FromMilliseconds(34),
                Sockstat = new(35, 36, 37, 38, 39),
                Counters = new(51, 52, 53, 54, 55, 56),
                NamespaceOnly = true,
                Error = "e",
            },
            KernelTakenAtMillis = 1900,
            Sockets = new SocketCounts(
                true,
                ImmutableDictionary<EndpointAddress, StateCounts>.Empty.Add(new(source), StateCounts.Of([(TcpState.Established, 40L)])),
                ImmutableDictionary<EndpointAddress, StateCounts>.Empty.Add(new(source, 443), StateCounts.None)),
        };

        var text = WireTranslation.ToMessage(new NumberedSample(41, sample)).Sample.ToString();

        Assert.That(text, Is.EqualTo("""
            { "runId": "run-1", "sequence": "41", "fromMillis": "1000", "toMillis": "2000",
            "gauges": { "goal": "1", "connecting": "2", "handshaking": "3", "established": "4",
            "confirmed": "5", "closing": "6", "restingTuples": "7", "freeTuples": "8", "establishedMax": "9" },
            "counters": { "scheduled": "10", "offered": "11", "opened": "12", "failed": "13",
            "notOffered": "14", "reopened": "15", "closedByPeer": "16", "closed": "17", "skippedTuples": "18",
            "droppedPorts": "19", "bytesReceived": "20", "bytesSent": "21" },
            "failures": [
            { "reason": { "stage": "FAILURE_STAGE_CONNECT", "party": "FAILURE_PARTY_TARGET", "cause": "FAILURE_CAUSE_REFUSED" },
            "errno": 111, "count": "22" } ],
            "histograms": [ { "kind": "HISTOGRAM_KIND_CONNECT", "encoded": "AQID", "clamped": "23" } ],
            "health": { "reactorLagMaxMicros": "24", "cpuMicros": "25", "reactorCpuMaxMicros": "26", "rssBytes": "27",
            "saturated": true, "reactors": 28, "reactorAllocatedBytes": "29" },
            "kernelView": { "takenAtMillis": "1900", "wallMicros": "32", "cpuMicros": "33", "states": [
            { "state": "TCP_STATE_ESTABLISHED", "count": "30" } ], "foreign": "31", "intervalMillis": "34",
            "sockstat": { "inUse": "35", "orphan": "36", "timeWait": "37", "allocated": "38", "memoryPages": "39" }, "error": "e",
            "counters": { "listenOverflows": "51", "listenDrops": "52", "timeWaitOverflow": "53", "abortOnMemory": "54",
            "synRetransmits": "55", "retransmittedSegments": "56" }, "namespaceOnly": true },
            "socketCounts": { "whole": true, "sources": [
            { "address": "CgABAg==", "states": [ { "state": "TCP_STATE_ESTABLISHED", "count": "40" } ] } ],
            "destinations": [ { "address": "CgABAg==", "port": 443 } ] } }
            """.ReplaceLineEndings(" ")));
    }

    private static ReconnectStorm Storm() => new()
    {
        Number = 3,
        Elapsed = new Duration { Seconds = 12, Nanos = 500_000_000 },
        Fraction = 0.1,
        Within = new Duration { Seconds = 1 },
        Close = CloseMethod.Rst,
    };

    private static TestCaseData WrongStorm(string field, Action<ReconnectStorm> spoil) => Wrong($"storm.{field}", a => spoil(a.Storm = Storm()));

    private static TestCaseData Wrong(string field, Action<Assignment> spoil) => new(field, spoil);
}
