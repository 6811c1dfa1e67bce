using Google.Protobuf;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Protos;
using LoadHarness.V1;
using AddressRange = LoadHarness.V1.AddressRange;
using BlockRange = LoadHarness.Protos.BlockRange;
using Destination = LoadHarness.Protos.Destination;
using Revision = LoadHarness.Protos.Revision;
using Schedule = LoadHarness.Protos.Schedule;
using SchedulePoint = LoadHarness.Protos.SchedulePoint;
using Slice = LoadHarness.Protos.Slice;

namespace LoadHarness.Coordinator.Tests.Fleet;

public sealed class WireTranslationTests
{
    private static readonly AgentHello _agent = WireTranslation.ToHello(FakeAgent.MakeHello("a", "boot/7"));

    [Test]
    public void ToSample_SoundOne_CarriesEverythingOver()
    {
        var sample = WireTranslation.ToSample(Sound(), _agent);

        Assert.Multiple(() =>
        {
            Assert.That((sample.AgentId, sample.Incarnation, sample.NetworkNamespace), Is.EqualTo(("a", _agent.Incarnation, "boot/7")));
            Assert.That((sample.Sequence, sample.From, sample.To), Is.EqualTo((3UL, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2))));
            Assert.That((sample.Gauges.Established, sample.Gauges.Confirmed), Is.EqualTo((5L, (long?)4)));
            Assert.That(sample.Counters.Opened, Is.EqualTo(6));
            Assert.That(sample.Failures.Single().Count, Is.EqualTo(7));
            Assert.That(sample.Histograms[HistogramKind.Connect].TotalCount, Is.EqualTo(1));
            Assert.That(sample.Kernel!.States[TcpState.Established], Is.EqualTo(8));
            Assert.That(sample.Sockets!.Sources.Single().Value[TcpState.Established], Is.EqualTo(9));
        });
    }

    [Test]
    public void ToSample_AKindThatComesTwice_IsAddedUp()
    {
        var merged = Sound();
        merged.Histograms.Add(merged.Histograms[0].Clone());

        Assert.That(WireTranslation.ToSample(merged, _agent).Histograms[HistogramKind.Connect].TotalCount, Is.EqualTo(2));
    }

    private static IEnumerable<TestCaseData> Spoilt()
    {
        yield return Case("sample.to_millis", s => s.FromMillis = -1);
        yield return Case("sample.to_millis", s => s.ToMillis = 0);
        yield return Case("sample.to_millis", s => s.ToMillis = long.MaxValue);
        yield return Case("sample.gauges", s => s.Gauges = null);
        yield return Case("sample.counters", s => s.Counters = null);
        yield return Case("sample.health", s => s.Health = null);
        yield return Case("sample.gauges.established", s => s.Gauges.Established = ulong.MaxValue);
        yield return Case("sample.counters.opened", s => s.Counters.Opened = 1UL << 60);
        yield return Case("sample.failures.reason", s => s.Failures[0].Reason = null);
        yield return Case("sample.failures.count", s => s.Failures[0].Count = ulong.MaxValue);
        yield return Case("sample.histograms[Connect]", s => s.Histograms[0].Encoded = ByteString.CopyFromUtf8("no histogram at all"));
        yield return Case("sample.histograms[Connect]", s => s.Histograms[0].Encoded = ByteString.Empty);
        yield return Case("sample.histograms[Connect]", s => s.Histograms[0].Encoded = Cut(s.Histograms[0].Encoded));
        yield return Case("sample.histograms[Unspecified]", s => s.Histograms[0].Kind = HistogramKind.Unspecified);
        yield return Case("sample.histograms[99]", s => s.Histograms[0].Kind = (HistogramKind)99);
        yield return Case("sample.kernel_view.taken_at_millis", s => s.KernelView.TakenAtMillis = long.MinValue);
        yield return Case("sample.kernel_view.states", s => s.KernelView.States[0].Count = ulong.MaxValue);
        yield return Case("sample.socket_counts.sources.address", s => s.SocketCounts.Sources[0].Address = ByteString.Empty);
        yield return Case("sample.socket_counts.destinations.port", s => s.SocketCounts.Destinations[0].Port = 65536);
        yield return Case("sample.kernel_view.counters.listen_drops", s => s.KernelView.Counters.ListenDrops = ulong.MaxValue);

        static TestCaseData Case(string field, Action<Sample> spoil) => new TestCaseData(field, spoil).SetArgDisplayNames(field);
        static ByteString Cut(ByteString bytes) => ByteString.CopyFrom(bytes.Span[..(bytes.Length / 2)]);
    }

    [TestCaseSource(nameof(Spoilt))]
    public void ToSample_Spoilt_NamesTheField(string field, Action<Sample> spoil)
    {
        var sample = Sound();
        spoil(sample);

        Assert.That(
            () => WireTranslation.ToSample(sample, _agent),
            Throws.TypeOf<WireException>().With.Property(nameof(WireException.Field)).EqualTo(field));
    }

    [Test]
    public void ToMessage_Assignment_CarriesEverythingOver()
    {
        var source = new IpRange(IpAddress.FromBytes([10, 0, 0, 1]), 3);
        var slice = new Slice([new BlockRange(source, 1024, 2)], [new PortSpan(1100, 1101)], TimeSpan.FromSeconds(60));
        var message = WireTranslation.ToMessage(new AgentAssignment
        {
            RunId = "run",
            Revision = new Revision(2, 3),
            StoreId = "store",
            Phase = Phase.Running,
            RequiredCapabilities = [Capabilities.WorkloadHold],
            Share = 500,
            Slice = slice,
            Destinations = [new Destination(new IpRange(IpAddress.FromBytes([10, 0, 0, 9]), 1), new PortSpan(80, 81), "web")],
            Schedule = new Schedule([new SchedulePoint(TimeSpan.Zero, 0), new SchedulePoint(TimeSpan.FromSeconds(2.5), 500)], 220),
            ConnectTimeout = TimeSpan.FromSeconds(4),
            ExpectGreeting = true,
            StartNanos = 77,
            DrainTimeout = TimeSpan.FromSeconds(10),
            MaxDuration = TimeSpan.FromHours(1),
            KernelView = new KernelViewDuty([slice, slice], 0.05),
        }).Assignment;

        Assert.Multiple(() =>
        {
            Assert.That((message.RunId, message.StoreId, message.Phase, message.Share), Is.EqualTo(("run", "store", Phase.Running, 500UL)));
            Assert.That((message.Revision.Epoch, message.Revision.Number), Is.EqualTo((2UL, 3UL)));
            Assert.That(message.RequiredCapabilities, Is.EqualTo(new[] { "workload.hold" }));
            var block = message.Slice.Blocks.Single();
            Assert.That(block.Sources, Is.EqualTo(new AddressRange { First = ByteString.CopyFrom(10, 0, 0, 1), Count = 3 }));
            Assert.That((block.FirstPort, block.PortBlocks), Is.EqualTo((1024u, 2u)));
            Assert.That(message.Slice.ExcludedPorts.Single(), Is.EqualTo(new PortRange { First = 1100, Last = 1101 }));
            Assert.That(message.Slice.Rest.Seconds, Is.EqualTo(60));
            Assert.That(message.Destinations.Single().Ports, Is.EqualTo(new PortRange { First = 80, Last = 81 }));
            Assert.That(message.Schedule.Points[1].Elapsed.ToTimeSpan(), Is.EqualTo(TimeSpan.FromSeconds(2.5)));
            Assert.That((message.Schedule.Points[1].Goal, message.Schedule.ConnectsPerSecond), Is.EqualTo((500UL, 220.0)));
            Assert.That(message.Workload.KindCase, Is.EqualTo(Workload.KindOneofCase.Hold));
            Assert.That((message.Workload.ExpectGreeting, message.Workload.ConnectTimeout.Seconds), Is.EqualTo((true, 4L)));
            Assert.That((message.HasStartNanos, message.StartNanos), Is.EqualTo((true, 77L)));
            Assert.That((message.DrainTimeout.Seconds, message.MaxDuration.Seconds), Is.EqualTo((10L, 3600L)));
            Assert.That((message.KernelView.Slices.Count, message.KernelView.CoreShare), Is.EqualTo((2, 0.05)));
        });
    }

    [Test]
    public void ToMessage_Inventory_ComesBackTheSame()
    {
        var inventory = FakeAgent.MakeHello("a").Inventory;
        inventory.ListeningPorts.Add(new PortRange { First = 80, Last = 81 });
        inventory.Findings.Add(new V1.Finding { Severity = Finding.Types.Severity.Warning, Subject = "ulimit", Message = "low" });
        var hello = FakeAgent.MakeHello("a");
        hello.Inventory = inventory;

        Assert.That(WireTranslation.ToMessage(WireTranslation.ToHello(hello).Inventory), Is.EqualTo(inventory));
    }

    [Test]
    public void ToHello_ControlCharacters_DoNotGetThrough()
    {
        var hello = FakeAgent.MakeHello("a");
        hello.Inventory.Hostname = "h\u001b[2J\nforged";
        hello.Inventory.Findings.Add(new Finding { Severity = Finding.Types.Severity.Info, Subject = "s\u0007", Message = "m\r\nn" });

        var inventory = WireTranslation.ToHello(hello).Inventory;

        Assert.That(inventory.Hostname, Is.EqualTo("h [2J forged"));
        Assert.That(inventory.Findings[^1].Subject, Is.EqualTo("s "));
        Assert.That(inventory.Findings[^1].Message, Is.EqualTo("m  n"));
    }

    [Test]
    public void ToHello_ControlCharactersInLabels_AreRefused()
    {
        var hello = FakeAgent.MakeHello("a");
        hello.Labels["zone"] = "a\u001b[2J";

        Assert.That(() => WireTranslation.ToHello(hello), Throws.TypeOf<WireException>().With.Message.Contains("control characters"));
    }

    private static Sample Sound()
    {
        var histogram = HistogramLayout.Create();
        histogram.RecordValue(1234);
        return new Sample
        {
            RunId = "run",
            Sequence = 3,
            FromMillis = 1000,
            ToMillis = 2000,
            Gauges = new() { Established = 5, Confirmed = 4 },
            Counters = new() { Opened = 6 },
            Failures =
            {
                new FailureCount
                {
                    Reason = new() { Stage = FailureStage.Connect, Party = FailureParty.Target, Cause = FailureCause.Refused },
                    Errno = 111,
                    Count = 7,
                },
            },
            Histograms =
            {
                new HistogramDelta { Kind = HistogramKind.Connect, Encoded = ByteString.CopyFrom(HistogramLayout.Encode(histogram)) },
            },
            Health = new(),
            KernelView = new() { TakenAtMillis = 1900, States = { new StateCount { State = TcpState.Established, Count = 8 } }, Counters = new() },
            SocketCounts = new()
            {
                Whole = true,
                Sources = { Sockets(0, 9) },
                Destinations = { Sockets(443, 10) },
            },
        };
    }

    private static EndpointSockets Sockets(uint port, ulong established) => new()
    {
        Address = ByteString.CopyFrom(127, 0, 0, 1),
        Port = port,
        States = { new StateCount { State = TcpState.Established, Count = established } },
    };
}
