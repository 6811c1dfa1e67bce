using Grpc.Core;
using LoadHarness.Coordinator.Security;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>Moves the messages of AgentLink between the wire and the fleet; see agent_link.proto for their order.</summary>
public sealed partial class AgentLinkService(AgentRegistry registry, Enrolment enrolment, ILogger<AgentLinkService> log)
    : AgentLink.AgentLinkBase
{
    private const double RefusalBurst = 20;
    private const double RefusalsPerSecond = 1;

    // Of agents that are not let in, all together: nobody knows which of them is which.
    private readonly Lock _refusing = new();
    private readonly TokenBucket _refusalLines = new(RefusalBurst, RefusalsPerSecond);
    private long _refusalsLeftOut;

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
            LogRefusal(e.Code, e.Message);
            await responses.WriteAsync(WireTranslation.ToRefusal(e.Code, e.Message), cancel);
            return;
        }
        catch (AdmissionException e)
        {
            LogRefusal(e.Code, e.Message);
            await responses.WriteAsync(WireTranslation.ToRefusal(e.Code, e.Message), cancel);
            return;
        }

        await ServeAsync(session, requests, responses, context);
    }

    // Bound after it was let in: whom a living agent keeps out must not take that one's identity from it.
    private async Task<AgentSession> AdmitAsync(AgentHello hello, Caller caller, CancellationToken cancel)
    {
        enrolment.Check(caller, hello.AgentId, hello.Labels);
        if (registry.Find(hello.AgentId) is { } known && !known.Conduct.MayAttach())
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted,
                $"agent `{hello.AgentId}` attaches too often; {registry.Options.Allowance.AttachesPerSecond:0.#} times a second are allowed in the long run"));
        }

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

    // What is beyond its allowance stays in the agent's connection for a while.
    private async Task SlowDownAsync(AgentState agent, TimeSpan wait, string what, CancellationToken cancel)
    {
        if (wait == TimeSpan.Zero)
            return;
        var problem = $"it sends more {what} that are taken in the long run, and is slowed down";
        Log(agent, problem);
        agent.Run?.Note(agent.Id, new(Finding.Types.Severity.Warning, $"flood of {what}", $"agent {agent.Id}: {problem}"));
        await Task.Delay(wait, registry.Clock.Time, cancel);
    }

    // It is cut off, named in the log and in the report of its run; others go on.
    private WireException Misbehaved(AgentState agent, WireException problem)
    {
        Log(agent, problem.Message);
        agent.Run?.Note(agent.Id, new(Finding.Types.Severity.Error, problem.Field, $"agent {agent.Id} broke the contract and was cut off: {problem.Message}"));
        return problem;
    }

    private void Log(AgentState agent, string problem)
    {
        if (agent.Conduct.MayLog(out var leftOut))
            LogMisbehaved(log, agent.Id, problem, leftOut);
    }

    private void LogRefusal(Refusal.Types.Code code, string reason)
    {
        long leftOut;
        lock (_refusing)
        {
            leftOut = _refusalsLeftOut;
            if (!_refusalLines.TryTake(registry.Clock.Nanos))
            {
                _refusalsLeftOut++;
                return;
            }

            _refusalsLeftOut = 0;
        }

        LogRefused(log, code, reason, leftOut);
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
        ServerCallContext context)
    {
        LogAttached(log, session.Hello.AgentId, session.Hello.Inventory.Hostname);
        if (registry.Find(session.Hello.AgentId) is not { } agent)
            return;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var reading = ReadAsync(agent, session, requests, cancel.Token);
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
            registry.Detach(session, e.Message);
            throw new RpcException(new Status(StatusCode.InvalidArgument, Misbehaved(agent, e).Message));
        }
        catch (TimeoutException)
        {
            var problem = $"it has read nothing for {registry.Options.ReadTimeout.TotalSeconds:0} s";
            registry.Detach(session, problem);
            Misbehaved(agent, new WireException("attach", problem));
            // What it does not read would keep the call for ever.
            context.GetHttpContext().Abort();
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
    private async Task ReadAsync(AgentState agent, AgentSession session, IAsyncStreamReader<AttachRequest> requests, CancellationToken cancel)
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
                    throw new WireException("attach_request", $"{request.MessageCase} is not allowed after Hello");
            }

            var allowance = registry.Options.Allowance;
            var wait = agent.Conduct.CountMessage(request.CalculateSize());
            await SlowDownAsync(agent, wait, $"messages than the {allowance.MessagesPerSecond:0.#} a second of {allowance.MessageBytes:N0} bytes", cancel);
        }
    }

    private async Task WriteAsync(AgentSession session, IServerStreamWriter<AttachResponse> responses, CancellationToken cancel)
    {
        await SendAsync(responses, WireTranslation.ToWelcome(session, registry.Options), cancel);
        while (await session.NextAsync(cancel) is { } next)
            await SendAsync(responses, Message(next), cancel);
    }

    private Task SendAsync(IServerStreamWriter<AttachResponse> responses, AttachResponse message, CancellationToken cancel) =>
        responses.WriteAsync(message, cancel).WaitAsync(registry.Options.ReadTimeout, registry.Clock.Time, cancel);

    private AttachResponse Message(object next) => next switch
    {
        HeartbeatEcho echo => WireTranslation.ToReply(echo, registry.Clock.Nanos),
        NumberedQuestion question => WireTranslation.ToMessage(question),
        CheckQuestion question => WireTranslation.ToMessage(question),
        _ => WireTranslation.ToMessage((AgentAssignment)next),
    };
}
