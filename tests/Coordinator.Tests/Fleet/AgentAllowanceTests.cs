using Google.Protobuf;
using Grpc.Core;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Runs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Fleet;

/// <summary>What becomes of an agent that sends more than it may, reads nothing, or sends samples that cannot be: over the real socket.</summary>
public sealed class AgentAllowanceTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private FleetFixture _fixture = null!;

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [Test]
    public async Task Attach_MoreMessagesThanMayBe_AreTakenWhenTheyAreDueAndOthersNoticeNothing()
    {
        await StartAsync(new() { MessageBurst = 10, MessagesPerSecond = 10 });
        var (flooding, other) = (await _fixture.AttachAsync("flooding"), await _fixture.AttachAsync("other"));
        for (var i = 0; i < 30; i++)
            await flooding.SendAsync(new AttachRequest { Heartbeat = new() { Sequence = 100 + (ulong)i } });

        var last = flooding.BeatAsync();
        await other.BeatAsync();
        await EventuallyAsync(() => _fixture.Log.Lines.Any(l => l.Contains("flooding") && l.Contains("more messages than the 10 a second")));
        var early = last.IsCompleted;
        for (var end = DateTime.UtcNow + _patience; !last.IsCompleted && DateTime.UtcNow < end; await Task.Delay(5))
            _fixture.Time.Advance(TimeSpan.FromMilliseconds(100));

        Assert.That((early, last.IsCompletedSuccessfully), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task Upload_MoreSamplesThanMayBe_AreTakenWhenTheyAreDue()
    {
        await StartAsync(new() { SampleBurst = 5, SamplesPerSecond = 10 });
        var agent = await _fixture.AttachAsync("flooding");
        for (var i = 0; i < 6; i++)
            await agent.UploadAsync(agent.MakeSample("a run of long ago", i, 0));

        var next = agent.UploadAsync(agent.MakeSample("a run of long ago", 6, 0));
        await EventuallyAsync(() => _fixture.Log.Lines.Any(l => l.Contains("more samples than the 10 a second")));
        var early = next.IsCompleted;
        for (var end = DateTime.UtcNow + _patience; !next.IsCompleted && DateTime.UtcNow < end; await Task.Delay(5))
            _fixture.Time.Advance(TimeSpan.FromMilliseconds(100));

        Assert.That((early, next.IsCompletedSuccessfully), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task Attach_MoreOftenThanMayBe_IsRefused()
    {
        await StartAsync(new() { AttachBurst = 2 });
        var hello = FakeAgent.MakeHello("a");
        // The first one is not known yet, and counts not.
        for (var i = 0; i < 3; i++)
            await _fixture.AttachAsync(hello);

        var refused = await Assert.ThrowsAsync<RpcException>(() => _fixture.AttachAsync(hello));
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        var later = await _fixture.AttachAsync(hello);

        Assert.Multiple(() =>
        {
            Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.ResourceExhausted));
            Assert.That(later.Welcome, Is.Not.Null);
        });
    }

    [Test]
    public async Task Attach_OfWhoReadsNothing_IsCutOffAndNamed()
    {
        await StartAsync(new() { MessageBurst = 1e9, MessagesPerSecond = 1e9 });
        using var channel = CoordinatorChannel.ForSocket(_fixture.SocketPath, _fixture.Credential);
        using var call = new AgentLink.AgentLinkClient(channel.Invoker).Attach();
        await call.RequestStream.WriteAsync(new() { Hello = FakeAgent.MakeHello("deaf") });
        await EventuallyAsync(() => _fixture.Host.Agents.Find("deaf")?.Session is not null);

        // Each answer fills the connection a little more; time passes only for one that waits.
        ulong sequence = 0;
        for (var end = DateTime.UtcNow + _patience; !IsNamed() && DateTime.UtcNow < end; _fixture.Time.Advance(TimeSpan.FromSeconds(31)))
        {
            try
            {
                for (var i = 0; i < 500; i++)
                    await call.RequestStream.WriteAsync(new() { Heartbeat = new() { Sequence = ulong.MaxValue - sequence++, SentNanos = long.MaxValue } });
            }
            catch (Exception e) when (e is RpcException or InvalidOperationException or IOException)
            {
                await EventuallyAsync(IsNamed);
            }
        }

        Assert.That(_fixture.Log.Lines, Has.Some.Contains("deaf").And.Some.Contains("it has read nothing for 30 s"));
        await EventuallyAsync(() => _fixture.Host.Agents.Find("deaf")!.Session is null);

        bool IsNamed() => _fixture.Log.Lines.Any(l => l.Contains("it has read nothing for 30 s"));
    }

    private static IEnumerable<TestCaseData> Impossible()
    {
        yield return Case("s have passed", s => s.ToMillis += 60_000);
        yield return Case("s have passed", s => s.KernelView = new() { TakenAtMillis = s.ToMillis + 60_000 });
        yield return Case("the end of the sample before it", s => s.FromMillis = 0);
        yield return Case("is no interval of a run", s => s.ToMillis = s.FromMillis - 1);
        yield return Case("is more than a host can do", s => s.Counters.Opened = 3_000_000_000);
        yield return Case("is more than a host can do", s => s.Counters.BytesSent = 300_000_000_000);
        yield return Case("is out of range", s => s.Counters.Closed = unchecked((ulong)-5));
        yield return Case("is out of range, 0 to 49999", s => s.Failures.Add(new FailureCount { Reason = new(), Errno = 50_000, Count = 1 }));
        yield return Case("not an HdrHistogram", s => s.Histograms.Add(new HistogramDelta { Kind = HistogramKind.Connect, Encoded = ByteString.CopyFromUtf8("?") }));

        static TestCaseData Case(string words, Action<Sample> spoil) => new TestCaseData(words, spoil).SetArgDisplayNames(words);
    }

    [TestCaseSource(nameof(Impossible))]
    public async Task Upload_ASampleThatCannotBe_IsAGapAndTheNextOnesCount(string words, Action<Sample> spoil)
    {
        await StartAsync(new());
        await _fixture.AttachAsync("honest");
        var rogue = await _fixture.AttachAsync(FakeAgent.MakeHello("rogue", "boot/2"));
        rogue.Measure = (assignment, second, goal) =>
        {
            var sample = rogue.MakeSample(assignment.RunId, second, goal, opened: second < 2 ? 25 : 0);
            if (second == 4)
                spoil(sample);
            return sample;
        };
        await _fixture.CreateAsync(RunFixture.Spec(100, agents: 2, holdSeconds: 8));

        var (_, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(summary.Notes(), Has.Some.Contains("rogue").And.Some.Contains(words));
            Assert.That(summary.GetProperty("result").GetProperty("opened").GetInt64(), Is.EqualTo(100));
            var gaps = summary.GetProperty("gaps").EnumerateArray().Select(g =>
                (g.GetProperty("agent").GetString(), g.GetProperty("fromSecond").GetInt32(), g.GetProperty("toSecond").GetInt32()));
            Assert.That(gaps, Is.EqualTo(new[] { ("rogue", 4, 5) }));
        });
    }

    private async Task StartAsync(AgentAllowance allowance) => _fixture = await FleetFixture.StartAsync(o => o with { Allowance = allowance });

    private async Task EventuallyAsync(Func<bool> isSo)
    {
        for (var end = DateTime.UtcNow + _patience; !isSo(); await Task.Delay(10))
        {
            if (DateTime.UtcNow > end)
                Assert.Fail(string.Join('\n', _fixture.Log.Lines));
        }
    }
}
