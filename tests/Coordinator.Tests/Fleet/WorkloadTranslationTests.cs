using CsCheck;
using Google.Protobuf;
using Grpc.Core;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using Revision = LoadHarness.Protos.Revision;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;
using WorkloadShare = LoadHarness.V1.WorkloadShare;

namespace LoadHarness.Coordinator.Tests.Fleet;

/// <summary>What connections do and what carries them, on the wire and in the store.</summary>
public class WorkloadTranslationTests
{
    [Test]
    public void ToMessage_AnyWorkload_ReadsBackFromItsBytes() => SpecGenerators.Specs.Sample(spec =>
    {
        var read = WireTranslation.ToWorkload(Workload.Parser.ParseFrom(WireTranslation.ToMessage(spec.Workload).ToByteArray()));
        return Text(spec with { Workload = read }) == Text(spec);
    });

    [Test]
    public void ToMessage_AnyTransport_ReadsBackFromItsBytes() => SpecGenerators.Specs.Sample(spec =>
    {
        var read = WireTranslation.ToTransport(Transport.Parser.ParseFrom(WireTranslation.ToMessage(spec.Transport).ToByteArray()));
        return Text(spec with { Transport = read }) == Text(spec) && KeyOf(read).SequenceEqual(KeyOf(spec.Transport));
    });

    [Test]
    public void ToBytes_AnyAssignment_KeepsEverythingButTheKey() => SpecGenerators.Specs.Sample(spec =>
    {
        var assignment = new AgentAssignment
        {
            RunId = "r1",
            Revision = new Revision(1, 2),
            StoreId = "s",
            Phase = Phase.Running,
            RequiredCapabilities = ["x"],
            DrainTimeout = TimeSpan.FromSeconds(10),
            MaxDuration = TimeSpan.FromHours(1),
            Workload = spec.Workload,
            Transport = spec.Transport,
        };
        var bytes = WireTranslation.ToBytes(assignment);
        var read = WireTranslation.ToAssignment(bytes);
        var kept = spec.Transport.Tls is { } tls ? spec.Transport with { Tls = tls with { Certificate = default, Key = default } } : spec.Transport;
        return Text(spec with { Workload = read.Workload, Transport = read.Transport }) == Text(spec with { Transport = kept })
            && (KeyOf(spec.Transport).Length == 0 || bytes.AsSpan().IndexOf(KeyOf(spec.Transport)) < 0 || KeyOf(spec.Transport).AsSpan().SequenceEqual(spec.Transport.Tls!.Authorities.Span));
    });

    [Test]
    public void WriteSpec_AnySpec_ReadsBackFromTheStoreButForItsKey() => SpecGenerators.Specs.Sample(spec =>
        Text(StoredText.ReadSpec(Text(spec))) == Text(spec) && KeyOf(StoredText.ReadSpec(Text(spec)).Transport).Length == 0);

    [Test]
    public void ToInput_AnySpecThatAUserSends_IsTheSameSpecAgain() => SpecGenerators.Specs.Sample(spec =>
    {
        var sent = V1.RunSpec.Parser.ParseFrom(Coordinator.Cli.WireTranslation.ToWire(spec).ToByteArray());
        var result = RunSpecValidator.Validate(Coordinator.Api.WireTranslation.ToInput(sent), _ => null);
        Assert.That(result.Errors, Is.Empty);
        Assert.That(Text(result.Spec!), Is.EqualTo(Text(spec)));
        return KeyOf(result.Spec!.Transport).SequenceEqual(KeyOf(spec.Transport));
    });

    [Test]
    public void ToInput_ChurnByItsRate_NeedsNoConnections()
    {
        var spec = new V1.RunSpec { Targets = { "10.0.0.5:443" }, Churn = new() { Lifetime = new() { Seconds = 10 } }, ConnectsPerSecond = 500 };

        var read = RunSpecValidator.Validate(Coordinator.Api.WireTranslation.ToInput(spec), _ => null).Spec!;

        Assert.That((read.Connections, read.Ramp), Is.EqualTo((5_000, TimeSpan.FromSeconds(10))));
    }

    [Test]
    public void ToInput_AChurnOfAClientBeforeThereWereWorkloads_IsAWorkload()
    {
        var spec = new V1.RunSpec { Targets = { "10.0.0.5:443" }, Connections = 5, Churn = new() { Lifetime = new() { Seconds = 10 }, Close = CloseMethod.Rst } };
        var read = RunSpecValidator.Validate(Coordinator.Api.WireTranslation.ToInput(spec), _ => null).Spec!;
        Assert.That(read.Workload.Single().Workload, Is.EqualTo(Workloads.Churn(TimeSpan.FromSeconds(10), CloseMethod.Rst).Single().Workload));
    }

    [Test]
    public void ToInput_TwoKindsOfHttpOneOfWhichBeats_AreHeldOnesBesideHttp()
    {
        var input = Coordinator.Api.WireTranslation.ToInput(Mixed(Beating(80, _ => { }), Asking(20)));

        Assert.That((input.Workload, input.Heartbeat?.Value, input.ThinkTime?.Value), Is.EqualTo(("hold=80,Http=20", TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1))));
    }

    private static IEnumerable<TestCaseData> Mixes()
    {
        yield return Case("hold cannot stand beside http with load.every", new WorkloadShare { Weight = 5, Hold = new() }, Beating(80, _ => { }));
        yield return Case("hold cannot stand beside http with load.every", Beating(80, _ => { }), Asking(20), new WorkloadShare { Weight = 5, Hold = new() });
        yield return Case("http with load.every differs from the http beside it", Beating(80, h => h.Method = "HEAD"), Asking(20));
        yield return Case("http with load.every differs from the http beside it", Asking(20), Beating(80, h => h.Timeout = new() { Seconds = 7 }));
        yield return Case("http with load.every differs from the http beside it", Asking(20), Beating(80, h => h.RequestsPerConnection = 3));

        static TestCaseData Case(string message, params WorkloadShare[] shares) => new TestCaseData(message, shares).SetArgDisplayNames(message);
    }

    [TestCaseSource(nameof(Mixes))]
    public void ToInput_AMixThatTheCommandLineHasNoWordsFor_IsRefused(string message, WorkloadShare[] shares) => Assert.That(
        () => Coordinator.Api.WireTranslation.ToInput(Mixed(shares)),
        Throws.InstanceOf<RpcException>().With.Property(nameof(RpcException.StatusCode)).EqualTo(StatusCode.InvalidArgument).And.Message.Contains($"workload.mix: {message}"));

    [Test]
    public void ToInput_OneKindTwice_IsRefusedByItsName()
    {
        foreach (var shares in new WorkloadShare[][] { [Asking(1), Asking(2)], [Beating(1, _ => { }), Beating(2, _ => { })] })
            Assert.That(RunSpecValidator.Validate(Coordinator.Api.WireTranslation.ToInput(Mixed(shares)), _ => null).Errors.Single().Message, Does.Contain("names http twice"));
    }

    private static V1.RunSpec Mixed(params WorkloadShare[] shares) =>
        new() { Targets = { "http://10.0.0.5/" }, Connections = 100, Workload = new() { Mix = new() { Shares = { shares } } } };

    private static WorkloadShare Asking(uint weight) => new() { Weight = weight, Http = new() { Method = "GET", Load = new() { ThinkTime = new() { Seconds = 1 } } } };

    private static WorkloadShare Beating(uint weight, Action<Http> change)
    {
        var http = new Http { Method = "GET", Load = new() { Every = new() { Seconds = 30 } } };
        change(http);
        return new() { Weight = weight, Http = http };
    }

    private static string Text(RunSpec spec) => StoredText.Write(spec);

    private static byte[] KeyOf(TransportSpec transport) => transport.Tls?.Key.ToArray() ?? [];
}
