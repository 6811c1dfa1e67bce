using CsCheck;
using Google.Protobuf;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using Revision = LoadHarness.Protos.Revision;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

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

    private static string Text(RunSpec spec) => StoredText.Write(spec);

    private static byte[] KeyOf(TransportSpec transport) => transport.Tls?.Key.ToArray() ?? [];
}
