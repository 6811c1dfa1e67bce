using System.Collections.Concurrent;
using System.Collections.Immutable;
using Google.Protobuf;
using Grpc.Core;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Fleet;

/// <summary>
/// An agent that speaks the real contract over a real socket and opens nothing. It does as it is told, unless a test tells it otherwise.
/// </summary>
internal sealed partial class FakeAgent : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private readonly CoordinatorChannel _attachChannel;
    private readonly CoordinatorChannel _uploadChannel;
    private readonly AsyncDuplexStreamingCall<AttachRequest, AttachResponse> _attach;
    private readonly SemaphoreSlim _attachWriting = new(1, 1);
    private readonly SemaphoreSlim _uploading = new(1, 1);
    private readonly SemaphoreSlim _sampling = new(1, 1);
    private readonly CoordinatorClock _clock;
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<HeartbeatReply>> _replies = new();
    private readonly TaskCompletionSource<AttachResponse> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AsyncDuplexStreamingCall<UploadRequest, UploadResponse>? _upload;
    private Task _receiving = Task.CompletedTask;
    private ImmutableList<Assignment> _assignments = [];
    private ImmutableList<RouteQuery> _queries = [];
    private ulong _heartbeats;
    private ulong _samples;
    private long _sampledSeconds;
    private long _established;
    private string _sampledRun = "";

    private FakeAgent(string socketPath, Credential credential, Hello hello, CoordinatorClock clock)
    {
        (Hello, _clock) = (hello, clock);
        _attachChannel = CoordinatorChannel.ForSocket(socketPath, credential);
        _uploadChannel = CoordinatorChannel.ForSocket(socketPath, credential);
        _attach = new AgentLink.AgentLinkClient(_attachChannel.Invoker).Attach();
    }

    public Hello Hello { get; }

    public string Id => Hello.AgentId;

    public Welcome? Welcome { get; private set; }

    public Refusal? Refusal { get; private set; }

    /// <summary>Everything it was assigned, oldest first.</summary>
    public ImmutableList<Assignment> Assignments => _assignments;

    /// <summary>What it answers; null: nothing. By default the phase wanted.</summary>
    public Func<Assignment, AssignmentStatus?> Respond { get; set; } = Obey;

    /// <summary>What it says of its host; null: nothing. By default it reaches everything from 127.0.0.1 and knows no name.</summary>
    public Func<RouteQuery, RouteAnswer?> Answer { get; set; } = Route;

    /// <summary>How its host stands; null: it does not say. By default all is well.</summary>
    public Func<CheckQuery, CheckAnswer?> Check { get; set; } = Well;

    /// <summary>Everything it was asked, oldest first.</summary>
    public ImmutableList<RouteQuery> Queries => _queries;

    /// <summary>What a second was like: gets the assignment, its number, the goal at its end. By default the goal is met at once.</summary>
    public Func<Assignment, long, long, Sample?>? Measure { get; set; }

    /// <summary>Whether it sends heartbeats and samples when time passes.</summary>
    public bool Lively { get; set; } = true;

    /// <summary>Completes when the coordinator has ended the attachment.</summary>
    public Task Detached => _receiving;

    /// <summary>Dials and says hello; returns once it was welcomed or refused.</summary>
    public static async Task<FakeAgent> DialAsync(string socketPath, Credential credential, Hello hello, CoordinatorClock clock)
    {
        var agent = new FakeAgent(socketPath, credential, hello, clock);
        agent._receiving = agent.ReceiveAsync();
        await agent.SendAsync(new AttachRequest { Hello = hello });
        var first = await agent._first.Task.WaitAsync(_patience);
        (agent.Welcome, agent.Refusal) = (first.Welcome, first.Refusal);
        return agent;
    }

    /// <summary>A sound Hello.</summary>
    public static Hello MakeHello(string id, string networkNamespace = "boot/1") => new()
    {
        AgentId = id,
        Incarnation = Guid.NewGuid().ToString(),
        Role = AgentRole.Client,
        Version = Protocol.Version,
        Capabilities = { Capabilities.All },
        Inventory = new()
        {
            Hostname = "host-of-" + id,
            NetworkNamespace = networkNamespace,
            Cores = 2,
            ConnectionsPerReactor = 20_000,
            PrivateDescriptorTables = true,
            Pid = 4242,
            EphemeralPorts = new() { First = 32768, Last = 60999 },
            Addresses = { new V1.HostAddress { Address = ByteString.CopyFrom(127, 0, 0, 1), PrefixLength = 8, Device = "lo" } },
        },
    };

    /// <summary>The answer of an agent that does what it is told.</summary>
    public static AssignmentStatus Obey(Assignment assignment) => new()
    {
        RunId = assignment.RunId,
        Revision = assignment.Revision,
        StoreId = assignment.StoreId,
        Phase = assignment.Phase,
    };

    /// <summary>Sends a heartbeat and waits for its reply.</summary>
    public async Task<HeartbeatReply> BeatAsync(long sentNanos = 0)
    {
        var sequence = Interlocked.Increment(ref _heartbeats);
        var reply = _replies[sequence] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await SendAsync(new AttachRequest { Heartbeat = new() { Sequence = sequence, SentNanos = sentNanos } });
        return await reply.Task.WaitAsync(_patience);
    }

    /// <summary>Sends anything on Attach.</summary>
    public async Task SendAsync(AttachRequest request)
    {
        await _attachWriting.WaitAsync();
        try
        {
            await _attach.RequestStream.WriteAsync(request);
        }
        finally
        {
            _attachWriting.Release();
        }
    }

    /// <summary>Sends a sample and waits until it is acknowledged.</summary>
    public async Task<ulong> UploadAsync(Sample sample)
    {
        await _uploading.WaitAsync();
        try
        {
            return await UploadLockedAsync(sample);
        }
        finally
        {
            _uploading.Release();
        }
    }

    /// <summary>The next sequence number.</summary>
    public ulong NextSequence() => Interlocked.Increment(ref _samples);

    /// <summary>Does what an agent does as time passes: a heartbeat, and a sample for each second that is over.</summary>
    public async Task TickAsync()
    {
        if (!Lively || _receiving.IsCompleted)
            return;
        try
        {
            await BeatAsync();
        }
        catch (Exception e) when (e is OperationCanceledException || _receiving.IsCompleted)
        {
            return;
        }

        if (_assignments.LastOrDefault() is { Phase: Phase.Running } assignment)
            await SampleAsync(assignment, andClose: false);
    }

    /// <summary>A sample of one second in which some connections were opened.</summary>
    public Sample MakeSample(string runId, long second, long established, long opened = 0, long failed = 0) => new()
    {
        RunId = runId,
        Sequence = NextSequence(),
        FromMillis = second * 1000,
        ToMillis = (second + 1) * 1000,
        Gauges = new() { Established = (ulong)established, Goal = (ulong)established },
        Counters = new()
        {
            Opened = (ulong)opened,
            Offered = (ulong)(opened + failed),
            Scheduled = (ulong)(opened + failed),
            Failed = (ulong)failed,
        },
        Health = new() { RssBytes = 1 << 20, Reactors = 1, CpuMicros = 1000 },
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _attach.Dispose();
        _upload?.Dispose();
        await _receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _attachChannel.Dispose();
        _uploadChannel.Dispose();
        _attachWriting.Dispose();
        _uploading.Dispose();
        _sampling.Dispose();
    }

    private async Task<ulong> UploadLockedAsync(Sample sample)
    {
        if (_upload is null)
        {
            _upload = new AgentLink.AgentLinkClient(_uploadChannel.Invoker).Upload();
            await _upload.RequestStream.WriteAsync(new()
            {
                Hello = new() { AgentId = Id, Incarnation = Hello.Incarnation, SessionId = Welcome!.SessionId },
            });
        }

        await _upload.RequestStream.WriteAsync(new() { Sample = sample });
        using var patience = new CancellationTokenSource(_patience);
        if (!await _upload.ResponseStream.MoveNext(patience.Token))
            throw new InvalidOperationException("the upload has ended");
        return _upload.ResponseStream.Current.Ack.Sequence;
    }

    private async Task ReceiveAsync()
    {
        try
        {
            while (await _attach.ResponseStream.MoveNext(CancellationToken.None))
                await TakeAsync(_attach.ResponseStream.Current);
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or ObjectDisposedException)
        {
            _first.TrySetException(e);
        }

        foreach (var waiting in _replies.Values)
            waiting.TrySetCanceled();
    }

    private async Task TakeAsync(AttachResponse response)
    {
        switch (response.MessageCase)
        {
            case AttachResponse.MessageOneofCase.Welcome or AttachResponse.MessageOneofCase.Refusal:
                _first.TrySetResult(response);
                break;
            case AttachResponse.MessageOneofCase.HeartbeatReply:
                if (_replies.TryRemove(response.HeartbeatReply.Sequence, out var waiting))
                    waiting.TrySetResult(response.HeartbeatReply);
                break;
            case AttachResponse.MessageOneofCase.RouteQuery:
                _queries = _queries.Add(response.RouteQuery);
                if (Answer(response.RouteQuery) is { } answer)
                    await SendAsync(new AttachRequest { RouteAnswer = answer });
                break;
            case AttachResponse.MessageOneofCase.CheckQuery:
                if (Check(response.CheckQuery) is { } checks)
                    await SendAsync(new AttachRequest { CheckAnswer = checks });
                break;
            case AttachResponse.MessageOneofCase.Assignment:
                _assignments = _assignments.Add(response.Assignment);
                if (response.Assignment is { Phase: Phase.Drained, HasStartNanos: true } && Lively)
                    await SampleAsync(response.Assignment, andClose: true);
                if (Respond(response.Assignment) is { } status)
                    await SendAsync(new AttachRequest { Status = status });
                break;
        }
    }
}
