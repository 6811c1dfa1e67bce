using System.Collections.Immutable;
using System.Text.Json;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Stored runs outlive the program that wrote them: names of fields are a promise.</summary>
public sealed class StoredTextTests
{
    private static readonly RunSpec _spec = new()
    {
        Name = "soak",
        Targets =
        [
            new("10.0.0.5:443,8443-8450", "10.0.0.5", [Address("10.0.0.5")], [new(443, 443), new(8443, 8450)]),
            new("lb.example:80", "lb.example", [], [new(80, 80)]),
        ],
        Connections = 2_000_000,
        Ramp = TimeSpan.FromMinutes(10),
        Hold = TimeSpan.FromMinutes(30),
        Sources = [new("2001:db8::10-2001:db8::1f", new IpRange(Address("2001:db8::10"), 16)), new("auto", null)],
        SourcePorts = new(1024, 65535),
        Agents = 14,
        ExpectGreeting = true,
    };

    [Test]
    public void ReadSpec_WhatWasWritten_IsTheSame()
    {
        var text = StoredText.Write(_spec);

        Assert.That(StoredText.Write(StoredText.ReadSpec(text)), Is.EqualTo(text));
    }

    [Test]
    public void ReadSpec_ChurnWeightsAndAddedSources_AreTheSame()
    {
        var spec = _spec with
        {
            Targets = [_spec.Targets[0] with { Weight = 3 }],
            Workload = Workloads.Churn(TimeSpan.FromSeconds(5), V1.CloseMethod.Rst),
            Rest = TimeSpan.Zero,
            Force = true,
            Provision = [ProvisionText.Parse("10.0.1.0/24@eth0").Value],
        };
        var read = StoredText.ReadSpec(StoredText.Write(spec));
        Assert.That((read.Churn, read.Rest, read.Force, read.Targets[0].Weight), Is.EqualTo((spec.Churn, spec.Rest, true, 3)));
        Assert.That(read.Provision, Is.EqualTo(spec.Provision));
    }

    [Test]
    public void ReadSpec_OfTheFirstRelease_IsStillRead()
    {
        const string Text = """
            {"name":"soak","targets":[{"text":"10.0.0.5:443,8443-8450","host":"10.0.0.5","addresses":["10.0.0.5"],
            "ports":[{"first":443,"last":443},{"first":8443,"last":8450}]},{"text":"lb.example:80","host":"lb.example","addresses":[],
            "ports":[{"first":80,"last":80}]}],"connections":2000000,"ramp":"00:10:00","hold":"00:30:00",
            "sources":[{"text":"2001:db8::10-2001:db8::1f","range":{"first":"2001:db8::10","count":16}},{"text":"auto"}],
            "sourcePorts":{"first":1024,"last":65535},"agents":14,"readyTimeout":"00:01:00","connectTimeout":"00:00:10",
            "maxDuration":"1.00:00:00","expectGreeting":true}
            """;

        Assert.That(StoredText.Write(StoredText.ReadSpec(Text)), Is.EqualTo(StoredText.Write(_spec)));
    }

    [TestCase("0", V1.CloseMethod.Unspecified)]
    [TestCase("1", V1.CloseMethod.Fin)]
    [TestCase("2", V1.CloseMethod.Rst)]
    public void ReadSpec_AChurnFromBeforeThereWereWorkloads_IsItsWorkload(string close, V1.CloseMethod method)
    {
        var text = $$"""
            {"name":"","targets":[{"text":"10.0.0.5:443","host":"10.0.0.5","addresses":["10.0.0.5"],"ports":[{"first":443,"last":443}],"weight":1}],
            "connections":500,"hold":"00:01:00","sources":[],"readyTimeout":"00:01:00","connectTimeout":"00:00:10","maxDuration":"1.00:00:00",
            "expectGreeting":false,"select":{},"backends":0,"backendListen":[],"backendSelect":{},"churn":{"lifetime":"00:00:05","close":{{close}}},
            "rest":"00:01:00","force":false,"provision":[],"onAgentLoss":1,"onAgentJoin":1}
            """;

        var spec = StoredText.ReadSpec(text);

        Assert.That(spec.Workload.Single().Workload, Is.EqualTo(Workloads.Churn(TimeSpan.FromSeconds(5), method).Single().Workload));
        Assert.That(spec.Churn!.Lifetime, Is.EqualTo(TimeSpan.FromSeconds(5)));
        Assert.That(spec.Transport, Is.EqualTo(TransportSpec.Plain));
        Assert.That(StoredText.Write(StoredText.ReadSpec(StoredText.Write(spec))), Is.EqualTo(StoredText.Write(spec)));
    }

    [Test]
    public void ReadPlan_WhatWasWritten_IsTheSame()
    {
        var plan = new PlanOverview(["one", "two"], 5, 6, 7, TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(9));

        var read = StoredText.ReadPlan(StoredText.Write(plan));

        Assert.That(read.Lines, Is.EqualTo(plan.Lines));
        Assert.That(read with { Lines = plan.Lines }, Is.EqualTo(plan));
    }

    [TestCase("null")]
    [TestCase("{}")]
    [TestCase("{\"targets\":")]
    [TestCase("{\"targets\":[{\"text\":\"t\",\"host\":\"h\",\"addresses\":[\"x\"],\"ports\":[]}],\"connections\":1}")]
    public void ReadSpec_SomethingElse_IsRefused(string text) =>
        Assert.That(() => StoredText.ReadSpec(text), Throws.InstanceOf<JsonException>());

    private static IpAddress Address(string text) => IpAddress.From(System.Net.IPAddress.Parse(text));
}
