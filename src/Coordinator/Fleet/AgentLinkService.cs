using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using LoadHarness.Coordinator.Security;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>Moves the messages of AgentLink between the wire and the fleet; see agent_link.proto for their order.</summary>
public sealed partial class AgentLinkService(AgentRegistry registry, Enrolment enrolment, ILogger<AgentLinkService> log)
    : AgentLink.AgentLinkBase
{
    /// <summary>Samples of one upload that may wait to be stored; more are left in the connection.</summary>
    private const int MostUnstored = 256;

    /// <inheritdoc/>
    public override async Task Attach(
        IAsyncStreamReader<AttachRequest> requests, IServerStreamWriter<AttachResponse> responses, ServerCallContext context)
    {
        var cancel = context.CancellationToken;
        AgentSession session;
        try
        {
            var hello = WireTranslation.ToHello(await ReadHelloAsync(requests, cancel));
            session = await AdmitAsync(hello, AccessGate.CallerOf(context.GetHttpContext()), cancel);
        }
        catch (EnrolmentException e)
        {
            LogNotEnrolled(log, e.Message);
            throw new RpcException(new Status(StatusCode.PermissionDenied, e.Message));
        }
        catch (WireException e)
        {
            LogRefused(log, e.Code, e.Message);
            await responses.WriteAsync(WireTranslation.ToRefusal(e.Code, e.Message), cancel);
            return;
        }
        catch (AdmissionException e)
        {
            LogRefused(log, e.Code, e.Message);
            await responses.WriteAsync(WireTranslation.ToRefusal(e.Code, e.Message), cancel);
            return;
        }

        await ServeAsync(session, requests, responses, cancel);
    }

    /// <inheritdoc/>
    public override async Task Upload(
        IAsyncStreamReader<UploadRequest> requests, IServerStreamWriter<UploadResponse> responses, ServerCallContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, registry.Closing);
        try
        {
            await UploadAsync(AccessGate.CallerOf(context.GetHttpContext()), requests, responses, either.Token);
        }
        catch (OperationCanceledException) when (registry.Closing.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the coordinator is ending"));
        }
    }

    // Bound after it was let in: whom a living agent keeps out must not take that one's identity from it.
    private async Task<AgentSession> AdmitAsync(AgentHello hello, Caller caller, CancellationToken cancel)
    {
        enrolment.Check(caller, hello.AgentId, hello.Labels);
        var session = await registry.AdmitAsync(hello, (caller as AgentCaller)?.Fingerprint, cancel);
        try
        {
            await enrolment.BindAsync(caller, hello.AgentId, hello.Labels, cancel);
            return session;
        }
        catch (Exception e)
        {
            registry.Detach(session, "its identity could not be bound to its key");
            if (e is EnrolmentException or OperationCanceledException)
                throw;
            LogNotBound(log, e, hello.AgentId);
            throw new RpcException(new Status(
                StatusCode.Unavailable, $"the coordinator cannot keep that agent `{hello.AgentId}` is enrolled; its log says why"));
        }
    }

    private async Task UploadAsync(
        Caller caller,
        IAsyncStreamReader<UploadRequest> requests,
        IServerStreamWriter<UploadResponse> responses,
        CancellationToken cancel)
    {
        if (!await requests.MoveNext(cancel) || requests.Current.Hello is not { } hello)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "the first message of Upload must be UploadHello"));
        var session = registry.FindSession(hello.AgentId, hello.Incarnation, hello.SessionId)
            ?? throw new RpcException(new Status(
                StatusCode.FailedPrecondition, "no such session; attach first, then upload with its session id"));
        if (session.KeyFingerprint != (caller as AgentCaller)?.Fingerprint)
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied,
                $"agent `{hello.AgentId}` attached with another key than that of {caller.Name}; upload with the key that attached"));
        }

        var agent = registry.Find(hello.AgentId)!;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var stored = Channel.CreateBounded<Task<ulong>>(MostUnstored);
        var reading = ReadSamplesAsync(agent, session, requests, stored.Writer, either.Token);
        var acknowledging = AcknowledgeAsync(stored.Reader, responses, either.Token);
        try
        {
            await await Task.WhenAny(reading, acknowledging);
            await acknowledging;
        }
        finally
        {
            await either.CancelAsync();
            await Task.WhenAll(reading, acknowledging).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Samples are not waited for one by one: they are stored together, and a store that cannot write holds back those of this agent only.
    private async Task ReadSamplesAsync(
        AgentState agent,
        AgentSession session,
        IAsyncStreamReader<UploadRequest> requests,
        ChannelWriter<Task<ulong>> stored,
        CancellationToken cancel)
    {
        while (await requests.MoveNext(cancel))
        {
            if (requests.Current.Sample is not { } sample)
                throw new RpcException(new Status(StatusCode.InvalidArgument, "after UploadHello only Sample is allowed"));
            // A later process life has taken the identity: what this one still says belongs to nobody's interval.
            if (agent.Hello.Incarnation != session.Hello.Incarnation)
                throw new RpcException(new Status(StatusCode.FailedPrecondition, "a newer process of this agent has attached"));
            await stored.WriteAsync(
                agent.Intake.TakeAsync(session.Hello.Incarnation, sample.Sequence, () => KeepAsync(sample, session.Hello)), cancel);
        }

        stored.Complete();
    }

    private static async Task AcknowledgeAsync(
        ChannelReader<Task<ulong>> stored, IServerStreamWriter<UploadResponse> responses, CancellationToken cancel)
    {
        await foreach (var next in stored.ReadAllAsync(cancel))
        {
            var kept = await KeptAsync(next.WaitAsync(cancel));
            // One acknowledgement for all that were stored together.
            while (stored.TryPeek(out var later) && later.IsCompletedSuccessfully && stored.TryRead(out _))
                kept = later.Result;
            await responses.WriteAsync(new() { Ack = new() { Sequence = kept } }, cancel);
        }
    }

    private static async Task<ulong> KeptAsync(Task<ulong> storing)
    {
        try
        {
            return await storing;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The agent keeps what is not acknowledged, and sends it again when it has called again.
            throw new RpcException(new Status(StatusCode.Unavailable, $"samples cannot be kept: {e.Message}"));
        }
    }

    // A sample that breaks the contract is acknowledged too: sent again it would be no better, and it would hold up the sound ones.
    private Task KeepAsync(Sample sample, AgentHello agent)
    {
        if (registry.FindRun(sample.RunId) is not { } run)
            return Task.CompletedTask;
        try
        {
            return run.KeepAsync(WireTranslation.ToSample(sample, agent), sample.ToByteArray());
        }
        catch (WireException e)
        {
            LogMalformed(log, agent.AgentId, sample.Sequence, e.Message);
            run.Note(agent.AgentId, new(Finding.Types.Severity.Error, e.Field,
                $"sample {sample.Sequence} of agent {agent.AgentId} was left out, its interval is a gap: {e.Message}"));
            return Task.CompletedTask;
        }
    }

    private async Task<Hello> ReadHelloAsync(IAsyncStreamReader<AttachRequest> requests, CancellationToken cancel)
    {
        try
        {
            var any = await requests.MoveNext(cancel).WaitAsync(registry.Options.HelloTimeout, registry.Clock.Time, cancel);
            return any && requests.Current.Hello is { } hello
                ? hello
                : throw new WireException("hello", "the first message of Attach must be Hello");
        }
        catch (TimeoutException)
        {
            throw new WireException("hello", $"none came within {registry.Options.HelloTimeout.TotalSeconds:0} s");
        }
    }

    private async Task ServeAsync(
        AgentSession session,
        IAsyncStreamReader<AttachRequest> requests,
        IServerStreamWriter<AttachResponse> responses,
        CancellationToken callCancel)
    {
        LogAttached(log, session.Hello.AgentId, session.Hello.Inventory.Hostname);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(callCancel);
        var reading = ReadAsync(session, requests, cancel.Token);
        var writing = WriteAsync(session, responses, cancel.Token);
        try
        {
            await await Task.WhenAny(reading, writing);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The peer has gone without a word; the lease decides what becomes of its share.
            registry.Detach(session, e.Message);
        }
        catch (WireException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
        }
        finally
        {
            registry.Detach(session, "its call has ended");
            LogDetached(log, session.Hello.AgentId, session.Ended ?? "");
            await cancel.CancelAsync();
            await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Nothing in here waits but for the next message: a heartbeat is answered whatever else goes on.
    private async Task ReadAsync(AgentSession session, IAsyncStreamReader<AttachRequest> requests, CancellationToken cancel)
    {
        while (await requests.MoveNext(cancel))
        {
            var request = requests.Current;
            switch (request.MessageCase)
            {
                case AttachRequest.MessageOneofCase.Heartbeat:
                    session.TakeHeartbeat(request.Heartbeat.Sequence, request.Heartbeat.SentNanos);
                    break;
                case AttachRequest.MessageOneofCase.Status:
                    registry.TakeStatus(session, WireTranslation.ToStatus(request.Status));
                    break;
                case AttachRequest.MessageOneofCase.RouteAnswer:
                    session.TakeReply(request.RouteAnswer.Id, WireTranslation.ToReply(request.RouteAnswer));
                    break;
                case AttachRequest.MessageOneofCase.CheckAnswer:
                    session.TakeChecks(request.CheckAnswer.Id, WireTranslation.ToChecks(request.CheckAnswer.Checks, "check_answer.checks"));
                    break;
                case AttachRequest.MessageOneofCase.Goodbye:
                    registry.TakeGoodbye(session, request.Goodbye.Reason);
                    return;
                default:
                    throw new RpcException(new Status(StatusCode.InvalidArgument, $"{request.MessageCase} is not allowed after Hello"));
            }
        }
    }

    private async Task WriteAsync(AgentSession session, IServerStreamWriter<AttachResponse> responses, CancellationToken cancel)
    {
        await responses.WriteAsync(WireTranslation.ToWelcome(session, registry.Options), cancel);
        while (await session.NextAsync(cancel) is { } next)
        {
            await responses.WriteAsync(Message(next), cancel);
        }
    }

    private AttachResponse Message(object next) => next switch
    {
        HeartbeatEcho echo => WireTranslation.ToReply(echo, registry.Clock.Nanos),
        NumberedQuestion question => WireTranslation.ToMessage(question),
        CheckQuestion question => WireTranslation.ToMessage(question),
        _ => WireTranslation.ToMessage((AgentAssignment)next),
    };
}
