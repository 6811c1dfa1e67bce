using System.Text.Json;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Tests.Aggregation;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Reports;

public class SummaryJsonTests
{
    private static RunSummary Summary() => RunVerdict.Judge(
        SummaryBuilder.Build(SummaryFixture.WithBackend(SummaryFixture.Goal)), RunEnding.Completed);

    private static string[] Names(JsonElement element, string path) =>
    [
        .. path.Split('.', StringSplitOptions.RemoveEmptyEntries).Aggregate(element, (e, name) => e.GetProperty(name))
            .EnumerateObject().Select(p => p.Name),
    ];

    [TestCase("", "schema,run,target,result,kernel,failures,latency,rates,requests,storms,targetCloses,drain,agents,backends,limits,gaps,events,notes,verdict,exitCode")]
    [TestCase("run", "id,name,state,reason,startedAt,durationSeconds,stages")]
    [TestCase("target", "destinations,connections")]
    [TestCase(
        "result",
        "reached,reachedAfterSeconds,peakEstablished,heldEstablishedMin,heldEstablishedEnd,heldMissingSeconds,confirmed,"
        + "opened,closedByPeer,reopened,closed,aborted,openRatePeak,openRateMean,holdOpenRateMean,holdCloseRateMean,resumed")]
    [TestCase("drain", "aborted,pausedSeconds,orphansMax")]
    [TestCase("kernel", "established,ownEstablished,timeWait,states,bySource,byDestination,counters,foreign,ageSeconds,agrees,note")]
    [TestCase("failures", "total,byReason,details")]
    [TestCase("latency", "connect,tlsHandshake,request,requestService,timeToFirstByte")]
    [TestCase("rates", "scheduled,offered,completed,failed,notOffered")]
    [TestCase("limits", "toolLimited,reasons")]
    [TestCase("verdict", "passed,thresholds")]
    public void Write_Anything_HasStableNamesInOrder(string path, string names)
    {
        foreach (var indented in new[] { false, true })
        {
            using var document = JsonDocument.Parse(SummaryJson.Write(Summary(), indented));
            Assert.That(Names(document.RootElement, path), Is.EqualTo(names.Split(',')));
        }
    }

    [Test]
    public void Write_Lists_HaveStableNames()
    {
        using var document = JsonDocument.Parse(SummaryJson.Write(Summary()));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                document.RootElement.GetProperty("agents")[0].EnumerateObject().Select(p => p.Name),
                Is.EqualTo("id,host,namespace,assigned,peakEstablished,cpuSeconds,maxRssBytes,lost,baseRssBytes,bytesPerConnection".Split(',')));
            Assert.That(
                document.RootElement.GetProperty("backends")[0].EnumerateObject().Select(p => p.Name),
                Is.EqualTo("id,host,accepted,peakEstablished,established,kernelEstablished,cpuSeconds,maxRssBytes,lost,baseRssBytes,bytesPerConnection".Split(',')));
            Assert.That(
                document.RootElement.GetProperty("run").GetProperty("stages")[0].EnumerateObject().Select(p => p.Name),
                Is.EqualTo("name,from,to,durationSeconds".Split(',')));
            Assert.That(document.RootElement.GetProperty("kernel").GetProperty("states").GetProperty("ESTABLISHED").GetInt64(),
                Is.EqualTo(10_000));
        }
    }

    [Test]
    public void Read_WhatWasWritten_IsTheSame()
    {
        var json = SummaryJson.Write(Summary());
        Assert.That(SummaryJson.Write(SummaryJson.Read(json)), Is.EqualTo(json));
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("{\"schema\":\"loadharness/summary/v1\"}")]
    public void Read_NoSummary_SaysSo(string json) =>
        Assert.That(() => SummaryJson.Read(json), Throws.InstanceOf<InvalidDataException>());

    [Test]
    public void Read_AnotherSchema_SaysSo() =>
        Assert.That(
            () => SummaryJson.Read(SummaryJson.Write(Summary() with { Schema = "loadharness/summary/v9" })),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains("v9"));
}
