using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.Runs;
using LoadHarness.TestKit.Hostile;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Hostile;

/// <summary>
/// 10,000 spoilt messages to each method, as a user and as an agent: each is taken or refused with a status that says whose fault it is, nothing is
/// logged as an error of ours, memory does not grow with them, and the coordinator works as before.
/// </summary>
[NonParallelizable]
public sealed class MutatedMessagesTests
{
    private const int Messages = 10_000;
    private const int Callers = 8;
    private const int MessagesOfACall = 40;
    private const long MostGrowth = 150L << 20;

    private static readonly StatusCode[] _theirFault =
    [
        StatusCode.OK, StatusCode.InvalidArgument, StatusCode.FailedPrecondition, StatusCode.NotFound, StatusCode.ResourceExhausted,
        StatusCode.PermissionDenied, StatusCode.Unavailable, StatusCode.Aborted,
    ];

    private readonly ConcurrentDictionary<StatusCode, int> _statuses = [];
    private FleetFixture _fixture = null!;
    private RawCalls _calls = null!;
    private FakeAgent _sound = null!;
    private long _before;

    [SetUp]
    public async Task SetUp()
    {
        _statuses.Clear();
        // What is refused for its rate is not looked at: that is tested elsewhere.
        var generous = new AgentAllowance
        {
            MessageBurst = 1e9,
            SampleBurst = 1e9,
            AttachBurst = 1e9,
        };
        _fixture = await FleetFixture.StartAsync(o => o with { Allowance = generous }, rates: new RateLimits { CallBurst = 1_000_000_000, Streams = 10_000 });
        _calls = new RawCalls(() => CoordinatorChannel.ForSocket(_fixture.SocketPath, _fixture.Credential));
        _sound = await _fixture.AttachAsync("sound");
        await _fixture.CreateAsync(RunFixture.Spec(100, agents: 1, holdSeconds: 600));
        await _fixture.UntilAsync(RunState.Holding);
        _before = GC.GetTotalMemory(forceFullCollection: true);
    }

    [TearDown]
    public async Task TearDown()
    {
        _calls.Dispose();
        await _fixture.DisposeAsync();
    }

    private static IEnumerable<TestCaseData> Calls()
    {
        var spec = RunFixture.Spec(100, agents: 3);
        spec.Names.Add(new ResolvedName { Name = "lb.example", Addresses = { ByteString.CopyFrom(127, 0, 0, 1) } });
        spec.Select["zone"] = "a";
        spec.Sources.Add("127.0.0.0/28");
        spec.Name = "spoilt";
        AddWorkload(spec);
        yield return Of("CreateRun", new CreateRunRequest { Spec = spec, RequestId = "4a8d" });
        var planned = spec.Clone();
        planned.Agents = 1;
        planned.Select.Clear();
        yield return new TestCaseData("PlanRun", (Func<Mutator, byte[]>)(m => Impatient(m.Spoil(new PlanRunRequest { Spec = planned })))).SetArgDisplayNames("PlanRun");
        yield return Of("GetRun", new GetRunRequest());
        yield return Of("ListRuns", new ListRunsRequest { PageSize = 10, PageToken = "x" });
        yield return Of("WatchRun", new WatchRunRequest());
        yield return Of("ScaleRun", new ScaleRunRequest { Connections = 100, Over = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) });
        yield return Of("StopRun", new StopRunRequest { Id = "no such run" });
        yield return Of("ReconnectRun", new ReconnectRunRequest { Fraction = 0.1, Within = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) });
        yield return Of("GetRunReport", new GetRunReportRequest());
        yield return Of("GetRunLatencyLog", new GetRunLatencyLogRequest());
        yield return Of("GetRunSockets", new GetRunSocketsRequest());
        yield return Of("CheckAgents", new CheckAgentsRequest { Need = new() { Connections = 1000, ConnectsPerSecond = 10 } });
        yield return Of("ListAgents", new ListAgentsRequest { PageSize = 5 });
        yield return Of("ForgetAgent", new ForgetAgentRequest { Id = "nobody" });

        static TestCaseData Of<T>(string method, T sound)
            where T : IMessage<T>, IDeepCloneable<T> =>
            new TestCaseData(method, (Func<Mutator, byte[]>)(m => m.Spoil(sound))).SetArgDisplayNames(method);
    }

    private static void AddWorkload(RunSpec spec)
    {
        spec.Targets[0] = "https://127.0.0.1:9000-9009/path";
        var pace = new RequestLoad { RequestsPerSecond = 500 };
        var second = Duration.FromTimeSpan(TimeSpan.FromSeconds(1));
        spec.Workload = new()
        {
            Mix = new()
            {
                Shares =
                {
                    new WorkloadShare { Weight = 5, Hold = new() },
                    new WorkloadShare { Weight = 3, Churn = new() { Lifetime = second, LongestLifetime = second, Spread = LifetimeSpread.Uniform, Close = CloseMethod.Rst } },
                    new WorkloadShare
                    {
                        Weight = 2,
                        Http = new()
                        {
                            Method = "PUT",
                            Path = "/path",
                            Host = "h.example",
                            Fields = { new HttpField { Name = "Accept", Value = "*/*" } },
                            Body = ByteString.CopyFromUtf8("body"),
                            Expected = { new StatusRange { First = 200, Last = 299 } },
                            Load = pace,
                            Timeout = second,
                            RequestsPerConnection = 10,
                        },
                    },
                },
            },
        };
        spec.Transport = new()
        {
            Tls = new() { ServerName = "h.example", Ca = ByteString.CopyFromUtf8("-----BEGIN CERTIFICATE-----"), Alpn = { "http/1.1" }, Resume = 0.3, Groups = "X25519" },
            ProxyProtocol = new() { Version = 2, Clients = new() { First = ByteString.CopyFrom(10, 0, 0, 1), Count = 254 } },
            Tcp = new() { Keepalive = second, SendBuffer = 4096, UserTimeout = second, Nodelay = true },
        };
    }

    // A plan may be asked to wait for agents for a day, and would; a wait that is not allowed stays as it is.
    private static byte[] Impatient(byte[] request)
    {
        try
        {
            var plan = PlanRunRequest.Parser.ParseFrom(request);
            if (plan.Spec is { ReadyTimeout: null or { Seconds: > 1 and <= 86_400 } } spec)
                spec.ReadyTimeout = new Duration { Seconds = 1, Nanos = spec.ReadyTimeout?.Nanos ?? 0 };
            return plan.ToByteArray();
        }
        catch (InvalidProtocolBufferException)
        {
            return request;
        }
    }

    [Test]
    public void Calls_OfTheContract_AreAllHere() =>
        Assert.That(Calls().Select(c => (string)c.Arguments[0]!), Is.EquivalentTo(Service("Control").Methods.Select(m => m.Name)));

    [TestCaseSource(nameof(Calls))]
    public async Task Control_SpoiltRequests_AreTheirSendersFault(string name, Func<Mutator, byte[]> spoil)
    {
        var method = Service("Control").FindMethodByName(name);
        Assert.That(await _calls.CallAsync(method, []), Is.Not.EqualTo(StatusCode.Unimplemented), name);
        var seed = LongTests.Seed(20_261_126);
        if (name is "PlanRun" or "CheckAgents")
            await Task.WhenAll(_fixture.AttachAsync("idle-1"), _fixture.AttachAsync("idle-2"));

        await WhileTimePassesAsync(Enumerable.Range(0, Callers).Select(async caller =>
        {
            var mutator = new Mutator(seed + caller);
            for (var i = 0; i < Messages / Callers; i++)
                Count(await _calls.CallAsync(method, spoil(mutator)));
        }));

        await AssertAllIsWellAsync(isRunStopped: name is "StopRun");
    }

    [TestCaseSource(nameof(LargestSpecs))]
    public async Task PlanRun_TheLargestSpecs_AreComputedOrRefused(RunSpec spec, StatusCode expected)
    {
        await _fixture.AttachAsync("idle");
        var method = Service("Control").FindMethodByName("PlanRun");

        Assert.That(await _calls.CallAsync(method, new PlanRunRequest { Spec = spec }.ToByteArray()), Is.EqualTo(expected));
    }

    // What grows with the square of these is done with in no time, or it is refused: a message has room for a hundred times as much.
    private static IEnumerable<TestCaseData> LargestSpecs()
    {
        const int Most = 4096;
        yield return Of("ports of one host", StatusCode.OK, Most, i => $"10.0.0.1:{10_000 + (2 * i)}");
        yield return Of("ports of one host in one target", StatusCode.OK, 1, _ => "10.0.0.1:" + string.Join(',', Enumerable.Range(1, Most).Select(i => 2 * i)));
        yield return Of("addresses with weights", StatusCode.OK, Most, i => $"10.0.{i >> 7}.{(2 * (i & 127)) + 1}:80,weight={1 + (i % 3)}");
        yield return Of("addresses and sources", StatusCode.InvalidArgument, Most, i => $"10.0.{i >> 7}.{(2 * (i & 127)) + 1}:80", sources: Most);
        yield return Of("many more ports", StatusCode.InvalidArgument, 60_000, i => $"10.0.0.1:{1 + i}");
        yield return Of("many more sources", StatusCode.InvalidArgument, 1, _ => "10.0.0.1:80", sources: 100_000);
        var named = Of("ports of a name with many addresses", StatusCode.InvalidArgument, 100, i => $"lb.example:{1 + i}");
        ((RunSpec)named.Arguments[0]!).Names.Add(new ResolvedName
        {
            Name = "lb.example",
            Addresses = { Enumerable.Range(0, 300_000).Select(i => ByteString.CopyFrom(10, (byte)(i >> 16), (byte)(i >> 8), (byte)i)) },
        });
        yield return named;
        var provisions = Of("prefixes to add", StatusCode.InvalidArgument, 1, _ => "10.0.0.1:80");
        ((RunSpec)provisions.Arguments[0]!).ProvisionSources.Add(
            Enumerable.Range(0, 50_000).Select(i => $"10.{i >> 13}.{(i >> 5) & 255}.{8 * (i & 31)}/30@eth0"));
        yield return provisions;

        static TestCaseData Of(string name, StatusCode expected, int targets, Func<int, string> target, int sources = 0)
        {
            var spec = RunFixture.Spec(100, agents: 1);
            spec.Targets.Clear();
            spec.Targets.Add(Enumerable.Range(0, targets).Select(target));
            spec.Sources.Add(Enumerable.Range(0, sources).Select(i => $"11.{i >> 15}.{(i >> 7) & 255}.{(2 * (i & 127)) + 1}"));
            return new TestCaseData(spec, expected).SetArgDisplayNames(name);
        }
    }

    [Test]
    public async Task Attach_SpoiltMessages_AreTheirSendersFault()
    {
        var seed = LongTests.Seed(4_711);
        var method = Service("AgentLink").FindMethodByName("Attach");

        await WhileTimePassesAsync(Enumerable.Range(0, Callers).Select(async caller =>
        {
            var mutator = new Mutator(seed + caller);
            for (var sent = 0; sent < Messages / Callers;)
            {
                var hello = new AttachRequest { Hello = FakeAgent.MakeHello($"spoilt-{caller}") };
                hello.Hello.Held = Status();
                var first = sent % 3 == 0 ? mutator.Spoil(hello) : hello.ToByteArray();
                var (status, count) = await _calls.StreamAsync(method, [first, .. Spoilt(mutator)]);
                Count(status);
                sent += Math.Max(1, count);
            }
        }));

        await AssertAllIsWellAsync(isRunStopped: false);

        static IEnumerable<byte[]> Spoilt(Mutator mutator)
        {
            var sound = SoundMessages();
            for (var i = 0; i < MessagesOfACall; i++)
                yield return mutator.Spoil(sound[i % sound.Length]);
        }
    }

    [Test]
    public async Task Upload_SpoiltSamples_AreTheirSendersFault()
    {
        var seed = LongTests.Seed(1_848);
        // Its own upload ends with the first one of the storm.
        _sound.Measure = (_, _, _) => null;
        var method = Service("AgentLink").FindMethodByName("Upload");
        var run = _fixture.Run().Id;
        var hello = new UploadRequest
        {
            Hello = new() { AgentId = _sound.Id, Incarnation = _sound.Hello.Incarnation, SessionId = _sound.Welcome!.SessionId },
        };
        var mutator = new Mutator(seed);
        var sequence = 1_000UL;

        for (var sent = 0; sent < Messages;)
        {
            var first = sent % 50 == 49 ? mutator.Spoil(hello) : hello.ToByteArray();
            var (status, count) = await _calls.StreamAsync(method, [first, .. Spoilt()]);
            Count(status);
            sent += Math.Max(1, count);
        }

        await AssertAllIsWellAsync(isRunStopped: false);

        IEnumerable<byte[]> Spoilt()
        {
            for (var i = 0; i < 10 * MessagesOfACall; i++)
                yield return mutator.Spoil(new UploadRequest { Sample = FullSample(run, sequence++) });
        }
    }

    // What waits for an answer or a deadline comes to its end.
    private async Task WhileTimePassesAsync(IEnumerable<Task> callers)
    {
        var all = Task.WhenAll(callers);
        while (!all.IsCompleted)
            await _fixture.PassAsync(TimeSpan.FromSeconds(1));
        await all;
    }

    private static AttachRequest[] SoundMessages() =>
    [
        new() { Heartbeat = new() { Sequence = 1, SentNanos = 5 } },
        new() { Status = Status() },
        new() { RouteAnswer = new() { Id = 1, Names = { new ResolvedName { Name = "a", Addresses = { ByteString.CopyFrom(1, 2, 3, 4) } } }, Routes = { new Route() } } },
        new() { CheckAnswer = new() { Id = 1, Checks = { new V1.HostCheck { Name = "cores", Value = "2", Verdict = V1.HostCheck.Types.Verdict.Ok } } } },
        new() { Heartbeat = new() { Sequence = 2, SentNanos = 6 } },
    ];

    private static AssignmentStatus Status() => new()
    {
        RunId = "a run",
        Revision = new() { Epoch = 1, Number = 2 },
        StoreId = "a store",
        Phase = Phase.Running,
        Held = 5,
        Findings = { new Finding { Severity = Finding.Types.Severity.Warning, Subject = "ulimit", Message = "low" } },
        EmptyBlocks = { new BlockRange { Sources = new() { First = ByteString.CopyFrom(127, 0, 0, 1), Count = 1 }, FirstPort = 1024, PortBlocks = 1 } },
        GoneSources = { ByteString.CopyFrom(127, 0, 0, 9) },
        ElapsedNanos = 5,
    };

    private Sample FullSample(string run, ulong sequence)
    {
        var sample = _sound.MakeSample(run, 1, 100, opened: 3);
        sample.Sequence = sequence;
        sample.Failures.Add(new FailureCount
        {
            Reason = new() { Stage = FailureStage.Connect, Party = FailureParty.Target, Cause = FailureCause.Refused },
            Errno = 111,
            Count = 2,
        });
        var histogram = Protos.HistogramLayout.Create();
        histogram.RecordValue(123);
        sample.Histograms.Add(new HistogramDelta { Kind = HistogramKind.Connect, Encoded = ByteString.CopyFrom(Protos.HistogramLayout.Encode(histogram)) });
        sample.KernelView = new() { TakenAtMillis = 1500, IntervalMillis = 1000, States = { new StateCount { State = TcpState.Established, Count = 100 } }, Sockstat = new(), Counters = new() };
        sample.SocketCounts = new()
        {
            Whole = true,
            Sources = { new EndpointSockets { Address = ByteString.CopyFrom(127, 0, 0, 1), States = { new StateCount { State = TcpState.Established, Count = 100 } } } },
        };
        return sample;
    }

    private async Task AssertAllIsWellAsync(bool isRunStopped)
    {
        TestContext.Out.WriteLine(string.Join(", ", _statuses.OrderByDescending(s => s.Value).Select(s => $"{s.Key} {s.Value:N0}")));
        foreach (var run in _fixture.Host.Runs.All)
            run.Stop(immediately: true);
        await _fixture.UntilAsync(() => _fixture.Host.Runs.All.TrueForAll(r => r.Ended.IsCompleted), RunFixture.Long, "all runs ended");
        var growth = GC.GetTotalMemory(forceFullCollection: true) - _before;
        TestContext.Out.WriteLine($"memory grew by {growth >> 20:N0} MB");
        Assert.Multiple(() =>
        {
            Assert.That(_statuses.Keys, Is.Not.Empty.And.SubsetOf(_theirFault));
            Assert.That(_fixture.Log.Lines.Where(l => l.StartsWith("Error", StringComparison.Ordinal) || l.StartsWith("Critical", StringComparison.Ordinal)).Take(3), Is.Empty);
            Assert.That(growth, Is.LessThan(MostGrowth));
        });
        if (isRunStopped)
            return;
        // As before: somebody who knows nothing of all this runs a run.
        await _fixture.AttachAsync("another");
        await _fixture.CreateAsync(RunFixture.Spec(100, agents: 1));
        var (ended, summary) = await _fixture.EndAsync();
        Assert.That(ended.State, Is.EqualTo(RunState.Completed), summary.ToString());
    }

    private void Count(StatusCode? status)
    {
        if (status is { } known)
            _statuses.AddOrUpdate(known, 1, (_, count) => count + 1);
    }

    private static Google.Protobuf.Reflection.ServiceDescriptor Service(string name) =>
        (name == "Control" ? ControlReflection.Descriptor : AgentLinkReflection.Descriptor).Services.Single(s => s.Name == name);
}
