using Google.Protobuf;
using Grpc.Core;
using HdrHistogram;
using LoadHarness.Coordinator.Tests.Aggregation;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.Reports;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>The latency log of whole runs, through the control API.</summary>
public sealed class RunLatencyTests
{
    [Test]
    public async Task GetRunLatencyLog_OfARunToItsEnd_HasEveryValueOfEveryAgent_AlsoInALaterLife()
    {
        await using var fixture = await FleetFixture.StartAsync();
        var sent = 0L;
        foreach (var name in new[] { "a", "b" })
        {
            var agent = await fixture.AttachAsync(name);
            agent.Measure = (assignment, second, goal) =>
            {
                // Each of another kind of value, and three in a second.
                var histogram = Samples.Histogram(1000 + second, 2000 + second, name == "a" ? 5_000_000 : 100);
                Interlocked.Add(ref sent, histogram.TotalCount);
                var sample = agent.MakeSample(assignment.RunId, second, goal);
                sample.Histograms.Add(new HistogramDelta { Kind = HistogramKind.Connect, Encoded = ByteString.CopyFrom(HistogramLayout.Encode(histogram)) });
                return sample;
            };
        }

        await fixture.CreateAsync(RunFixture.Spec(100, 2, holdSeconds: 15));
        var (run, _) = await fixture.EndAsync();
        var log = await LogAsync(fixture);
        var started = fixture.Host.Runs.All[0].Snapshot.Value.StartTime!.Value.ToUnixTimeSeconds();
        await fixture.Host.DisposeAsync();
        await using var after = await FleetFixture.StartAsync(storeOf: fixture.DirectoryPath);

        var read = LatencyLogTextTests.Read([log]);
        Assert.Multiple(async () =>
        {
            Assert.That(log, Does.StartWith($"#[Latencies of LoadHarness run {run.Id}]\n"));
            Assert.That(log, Does.Contain($"#[StartTime: {started}."));
            Assert.That(read.Select(h => h.Tag), Has.All.EqualTo("connect").And.Exactly(read.Count).Items);
            Assert.That(read.Sum(h => h.TotalCount), Is.EqualTo(Interlocked.Read(ref sent)));
            Assert.That(read.Max(h => h.GetMaxValue()), Is.EqualTo(5_000_000).Within(0.1).Percent);
            Assert.That(read, Has.Count.GreaterThanOrEqualTo(2), "17 s of it");
            Assert.That(read.Zip(read.Skip(1)), Has.All.Matches<(HistogramBase A, HistogramBase B)>(
                p => p.B.StartTimeStamp == p.A.EndTimeStamp && p.B.EndTimeStamp > p.B.StartTimeStamp), "one after the other");
            Assert.That(await LogAsync(after), Is.EqualTo(log));
        });
    }

    [Test]
    public async Task GetRunLatencyLog_OfARunThatHasMeasuredNothing_IsALogWithoutLines()
    {
        await using var fixture = await FleetFixture.StartAsync();
        await fixture.AttachAsync("a");
        await fixture.CreateAsync(RunFixture.Spec(100, 1));
        await fixture.EndAsync();

        Assert.That(LatencyLogTextTests.Read([await LogAsync(fixture)]), Is.Empty);
    }

    [Test]
    public async Task GetRunLatencyLog_OfNoRun_SaysSo()
    {
        await using var fixture = await FleetFixture.StartAsync();

        Assert.That(
            async () => await LogAsync(fixture, "nonsense"),
            Throws.TypeOf<RpcException>().With.Property(nameof(RpcException.StatusCode)).EqualTo(StatusCode.NotFound).And.Message.Contain("nonsense"));
    }

    private static async Task<string> LogAsync(FleetFixture fixture, string id = "")
    {
        using var call = fixture.Control.GetRunLatencyLog(new() { Id = id });
        var log = "";
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
            log += call.ResponseStream.Current.Text;
        return log;
    }
}
