using System.Collections.Immutable;
using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using LoadHarness.Agent.Link;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;
using LoadHarness.Agent.Tests.Assignments;
using LoadHarness.Protos;
using LoadHarness.TestKit.Hostile;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using Microsoft.Extensions.Logging.Abstractions;
using CoordinatorClock = LoadHarness.Agent.Measurement.CoordinatorClock;
using Counts = LoadHarness.Agent.Assignments.Counts;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>
/// As <see cref="MutatedMessagesTests"/>, but with bytes that were turned, cut, repeated or put in on their way: 10,000 of each stream, many of them no
/// messages any more. Each of those ends its call, and the next one goes on.
/// </summary>
[NonParallelizable]
public sealed class MutatedBytesTests
{
    private const int Messages = 10_000;
    private const int Goal = 5;
    private const int Samples = 20;
    private const long MostGrowth = 150L << 20;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private WatchfulTarget _target = null!;
    private WatchfulTarget _forbidden = null!;
    private RunnerFixture _run = null!;
    private LinkOptions _options = null!;
    private long _before;

    [SetUp]
    public void SetUp()
    {
        (_target, _forbidden) = (WatchfulTarget.Start(LoopbackAddress.Next()), WatchfulTarget.Start(LoopbackAddress.Next()));
        Assert.That(AllowList.TryParse([_target.EndPoint.Address.ToString()], out var allowed, out _), Is.True);
        var policy = new AgentPolicy(allowed!) { MaxConnections = 50, MaxConnectsPerSecond = 500 };
        _run = new RunnerFixture(Resolve, policy);
        Assert.That(CoordinatorAddress.TryParse("unix:/nowhere", out var address, out var error), Is.True, error);
        _options = new LinkOptions
        {
            Coordinator = address!,
            AgentId = "agent-1",
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            Policy = policy,
            Lookup = new NameLookup(Resolve, _patience),
            Credential = LinkCredential.OfFile("/nowhere"),
        };
        _before = GC.GetTotalMemory(forceFullCollection: true);
    }

    [TearDown]
    public void TearDown()
    {
        _run.Dispose();
        _target.Dispose();
        _forbidden.Dispose();
    }

    [Test]
    public async Task Attach_SpoiltBytes_EndTheCallOrAreRefusedAndTheAgentWorksOn()
    {
        var mutator = new Mutator(LongTests.Seed(16_180));
        using var spoilt = Enumerable.Range(1, Messages).Select(i => mutator.SpoilBytes(Sound(i).ToByteArray())).GetEnumerator();
        var (calls, read, broken) = (0, 0, 0);

        for (var more = true; more; calls++)
        {
            var call = new ByteCall<AttachRequest, AttachResponse>(spoilt, AttachResponse.Parser, _ => { });
            await ServeAsync(call);
            (read, broken, more) = (read + call.Read, broken + (call.IsBroken ? 1 : 0), spoilt.Current is not null);
        }

        TestContext.Out.WriteLine($"{calls} attachments, {read} messages were read, {broken} were none, {_target.Accepted} connections");
        Assert.That((read, broken), Is.EqualTo((Messages - broken, Messages - read)), "each of them came");
        Assert.That(Math.Min(read, broken), Is.GreaterThan(Messages / 10));
        Assert.That(_run.Lease.DeadlineNanos, Is.EqualTo(long.MaxValue), "no right answer came");
        await AssertItWorksOnAsync();
    }

    [Test]
    public void ToGrant_SpoiltBytes_GivesTermsThatAreAllowedOrNone()
    {
        var mutator = new Mutator(LongTests.Seed(14_142));
        var granted = 0;

        for (var i = 0; i < Messages; i++)
        {
            try
            {
                var grant = WireTranslation.ToGrant(Welcome.Parser.ParseFrom(mutator.SpoilBytes(SoundMessages.Welcome().ToByteArray())));
                Assert.That(grant.Lease, Is.GreaterThan(grant.HeartbeatInterval).And.LessThanOrEqualTo(TimeSpan.FromHours(1)));
                Assert.That(grant.HeartbeatInterval, Is.InRange(TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1)));
                granted++;
            }
            catch (Exception e) when (e is InvalidProtocolBufferException or WireException)
            {
                // It is refused in words; anything else would end the agent.
            }
        }

        Assert.That(granted, Is.InRange(Messages / 100, Messages * 9 / 10));
    }

    [Test]
    public async Task Upload_SpoiltBytes_EndTheCallAndNothingIsLostThatWasNotAcknowledged()
    {
        var mutator = new Mutator(LongTests.Seed(17_320));
        // Of a sample that was never sent: what it says is passed over, unless a spoilt one says less.
        var sound = new UploadResponse { Ack = new() { Sequence = 1_000_000 } }.ToByteArray();
        var acknowledged = 0UL;
        using var spoilt = Enumerable.Range(0, Messages).Select(_ => mutator.SpoilBytes(sound)).Select(Noted).GetEnumerator();
        var outbox = new SampleOutbox();
        var uploader = new SampleUploader(new LinkDialer(_options), _options, outbox, NullLogger.Instance);
        for (var i = 0; i < Samples; i++)
            outbox.Add(new() { RunId = "storm", FromMillis = i * 1000, ToMillis = (i + 1) * 1000, Counts = new Counts { Opened = 1 }, Health = new() });
        var (calls, read, broken) = (0, 0, 0);

        for (var more = true; more; calls++)
        {
            var call = await UploadAsync(uploader, spoilt, outbox.Count, []);
            (read, broken, more) = (read + call.Read, broken + (call.IsBroken ? 1 : 0), spoilt.Current is not null);
        }

        var left = new List<ulong>();
        await UploadAsync(uploader, Enumerable.Empty<byte[]>().GetEnumerator(), outbox.Count, left);
        TestContext.Out.WriteLine($"{calls} uploads, {read} messages were read, {broken} were none; {acknowledged} of {Samples} samples were acknowledged");
        Assert.That(read + broken, Is.EqualTo(Messages), "each of them came");
        Assert.That(Math.Min(read, broken), Is.GreaterThan(Messages / 10));
        Assert.That(left, Is.EqualTo(Enumerable.Range(1, Samples).Select(i => (ulong)i).Where(s => s > acknowledged)));
        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - _before, Is.LessThan(MostGrowth));

        byte[] Noted(byte[] bytes)
        {
            try
            {
                if (UploadResponse.Parser.ParseFrom(bytes).Ack is { Sequence: <= Samples } ack)
                    acknowledged = Math.Max(acknowledged, ack.Sequence);
            }
            catch (InvalidProtocolBufferException)
            {
                // Ends the call.
            }

            return bytes;
        }
    }

    // Until all samples of the outbox were sent over it nothing is answered.
    private static async Task<ByteCall<UploadRequest, UploadResponse>> UploadAsync(
        SampleUploader uploader, IEnumerator<byte[]> answers, int samples, List<ulong> sent)
    {
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var call = new ByteCall<UploadRequest, UploadResponse>(answers, UploadResponse.Parser, Take) { Begins = all.Task };
        if (samples == 0)
            all.SetResult();
        try
        {
            using var opened = call.Open();
            await uploader.UploadAsync(opened, "session", CancellationToken.None).WaitAsync(_patience);
        }
        catch (RpcException)
        {
            // As the uploader's own loop has it: the next call goes on.
        }

        return call;

        void Take(UploadRequest request)
        {
            if (request.Sample is { } sample)
                sent.Add(sample.Sequence);
            if (sent.Count == samples)
                all.TrySetResult();
        }
    }

    private async Task ServeAsync(ByteCall<AttachRequest, AttachResponse> call)
    {
        var grant = WireTranslation.ToGrant(SoundMessages.Welcome());
        var session = new AttachSession(
            GrpcChannel.ForAddress("http://localhost"), call.Open(), grant, _run.Runner, new CoordinatorClock(), _run.Lease, NullLogger.Instance)
        {
            Lookup = _options.Lookup,
        };
        await using (session)
            Assert.That(await session.RunAsync(new TaskCompletionSource<string>().Task).WaitAsync(_patience), Is.Not.Null, "nobody has said goodbye");
    }

    private async Task AssertItWorksOnAsync()
    {
        await Task.Run(() => _run.Runner.Drain("the storm is over")).WaitAsync(_patience);
        var growth = GC.GetTotalMemory(forceFullCollection: true) - _before;
        using var last = new List<byte[]>
        {
            new AttachResponse { Assignment = SoundMessages.Assignment("after", 1, _run.Source, _target.EndPoint, Goal) }.ToByteArray(),
        }.GetEnumerator();

        await ServeAsync(new(last, AttachResponse.Parser, _ => { }));

        _run.WaitFor(() => _run.Status is { RunId: "after", Held: Goal }, $"{Goal} connections of the run after it");
        Assert.That(_forbidden.Accepted, Is.Zero);
        Assert.That(growth, Is.LessThan(MostGrowth));
    }

    private AttachResponse Sound(int number) => (number % 8) switch
    {
        0 => new() { HeartbeatReply = new() { Sequence = 1, SentNanos = 5, CoordinatorNanos = 7 } },
        1 => new() { RouteQuery = new() { Id = 1, Names = { "a.example" }, Addresses = { ByteString.CopyFrom(127, 0, 0, 1) } } },
        2 => new() { CheckQuery = new() { Id = 1, Need = new() { Connections = 10 } } },
        3 => new() { Welcome = SoundMessages.Welcome() },
        4 => new() { Assignment = SoundMessages.Assignment("storm", (ulong)number, _run.Source, _forbidden.EndPoint, Goal) },
        _ => new() { Assignment = SoundMessages.Assignment("storm", (ulong)number, _run.Source, _target.EndPoint, Goal) },
    };

    private IPAddress[] Resolve(string name) => [_forbidden.EndPoint.Address];
}
