using Grpc.Core;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Identity;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;
using LoadHarness.V1;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace LoadHarness.Agent.Link;

/// <summary>
/// The agent's side of the contract: attaches, keeps the attachment alive, attaches again when it broke. The work of the
/// agent goes on meanwhile, until its lease ends.
/// </summary>
public sealed partial class AgentLink : IDisposable
{
    private static readonly TimeSpan _welcomeTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _flushTimeout = TimeSpan.FromSeconds(5);

    private readonly LinkOptions _options;
    private readonly HostInventory _inventory;
    private readonly IAssignmentRunner _runner;
    private readonly SampleOutbox _outbox;
    private readonly CoordinatorClock _clock;
    private readonly Lease _lease;
    private readonly ILogger<AgentLink> _log;
    private readonly LinkDialer _dialer;
    private readonly ResiliencePipeline _attaching;
    private readonly TaskCompletionSource<string> _leave = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _leaving = new();
    private volatile bool _takesAssignments = true;
    private (string StoreId, ulong Epoch)? _coordinator;

    /// <summary>Prepares the link; nothing is dialled before <see cref="RunAsync"/>.</summary>
    public AgentLink(
        LinkOptions options,
        HostInventory inventory,
        IAssignmentRunner runner,
        SampleOutbox outbox,
        CoordinatorClock clock,
        Lease lease,
        ILogger<AgentLink> log)
    {
        (_options, _inventory, _runner, _outbox, _clock, _lease, _log) = (options, inventory, runner, outbox, clock, lease, log);
        _dialer = new LinkDialer(options);
        _attaching = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = int.MaxValue,
            ShouldHandle = new PredicateBuilder().Handle<LinkLostException>(),
            DelayGenerator = static retry => ValueTask.FromResult<TimeSpan?>(Backoff.FullJitter(retry.AttemptNumber)),
            OnRetry = OnAttemptFailed,
        }).Build();
    }

    /// <summary>Stays attached until <see cref="Leave"/>.</summary>
    /// <param name="cancel">Ends it without Goodbye.</param>
    /// <exception cref="LinkRefusedException">The coordinator will not have this agent.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel, _leaving.Token);
        try
        {
            while (!_leave.Task.IsCompleted)
            {
                var session = await _attaching.ExecuteAsync(AttachAsync, stop.Token).ConfigureAwait(false);
                await using (session.ConfigureAwait(false))
                    await ServeAsync(session, cancel).ConfigureAwait(false);
                await Task.Delay(Backoff.FullJitter(0), stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_leave.Task.IsCompleted && !cancel.IsCancellationRequested)
        {
            // Nobody is there to say Goodbye to, or it has been said.
        }
    }

    /// <summary>Takes no assignment any more; call it before the last drain, which a new assignment would undo.</summary>
    public void StopTakingAssignments() => _takesAssignments = false;

    /// <summary>Sends what is left of the samples and says Goodbye; call it when every socket is closed.</summary>
    /// <param name="reason">For the coordinator's log.</param>
    public void Leave(string reason)
    {
        if (_leave.TrySetResult(reason))
            _leaving.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose() => _leaving.Dispose();

    private async ValueTask<AttachSession> AttachAsync(CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                return await AttachOnceAsync(cancel).ConfigureAwait(false);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unauthenticated && _options.Credential.OfferToken())
            {
                // Forgotten there, or another coordinator by now: the join token is asked for after all.
            }
            catch (Exception e)
            {
                cancel.ThrowIfCancellationRequested();
                throw await ClassifyAsync(e, cancel).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask<AttachSession> AttachOnceAsync(CancellationToken cancel)
    {
        var channel = _dialer.OpenChannel();
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            timeout.CancelAfter(_welcomeTimeout);
            var call = new V1.AgentLink.AgentLinkClient(channel).Attach(_dialer.Headers(), cancellationToken: CancellationToken.None);
            var grant = await IntroduceAsync(call, timeout.Token).ConfigureAwait(false);
            NoteEnrolled();
            // Another coordinator, or the same one started again, counts from somewhere else.
            if (_coordinator != (grant.StoreId, grant.Epoch))
                _clock.Reset();
            _coordinator = (grant.StoreId, grant.Epoch);
            return new AttachSession(channel, call, grant, _runner, _clock, _lease, _log)
            {
                TakesAssignments = () => _takesAssignments,
                Lookup = _options.Lookup,
            };
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    private void NoteEnrolled()
    {
        try
        {
            _options.Credential.Welcomed();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or IdentityException)
        {
            LogNotKept(_log, e.Message);
        }
    }

    private async Task<LinkGrant> IntroduceAsync(AsyncDuplexStreamingCall<AttachRequest, AttachResponse> call, CancellationToken cancel)
    {
        try
        {
            var hello = WireTranslation.ToHello(_options, _inventory, _runner.Status);
            await call.RequestStream.WriteAsync(hello, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidOperationException or RpcException)
        {
            // The call has ended; why, the response says.
        }

        if (!await call.ResponseStream.MoveNext(cancel).ConfigureAwait(false))
            throw new LinkLostException("the coordinator ended the call without a word");
        return call.ResponseStream.Current switch
        {
            { Welcome: { } welcome } => WireTranslation.ToGrant(welcome),
            { Refusal: { Code: Refusal.Types.Code.ShuttingDown } going } => throw new LinkLostException(WireTranslation.Shown(going.Message)),
            { Refusal: { } refusal } => throw new LinkRefusedException(WireTranslation.Shown(refusal.Message)),
            _ => throw new LinkRefusedException("the first answer was neither Welcome nor Refusal: is the coordinator of another release?"),
        };
    }

    /// <summary>A "no" at the first attempt is final; later the coordinator may just be starting again, and the work goes on.</summary>
    private async Task<Exception> ClassifyAsync(Exception failure, CancellationToken cancel)
    {
        if (failure is WireException wire)
            return _coordinator is null ? new LinkRefusedException(wire.Message) : new LinkLostException(wire.Message, wire);
        if (_coordinator is null && await FinalAsync(failure, cancel).ConfigureAwait(false) is { } refusal)
            return refusal;
        return failure switch
        {
            LinkLostException => failure,
            OperationCanceledException => new LinkLostException($"no answer for {_welcomeTimeout.TotalSeconds:0} s", failure),
            _ => new LinkLostException(LinkFailure.Describe(failure), failure),
        };
    }

    private async Task<LinkRefusedException?> FinalAsync(Exception failure, CancellationToken cancel)
    {
        var coordinator = _options.Coordinator;
        if (LinkFailure.RefusalIn(failure) is { } refusal)
            return refusal;
        if (failure is RpcException rpc && LinkFailure.IsFinal(rpc))
            return new(LinkFailure.DescribeRefusal(coordinator, _options, rpc));
        var isTlsSuspected = coordinator is { IsTls: false, SocketPath: null } && !LinkFailure.IsUnreachable(failure);
        return isTlsSuspected && await new PortProbe(coordinator, cancel).SpeaksTlsAsync().ConfigureAwait(false)
            ? new($"{coordinator} is a TLS port, and plain http was spoken to it; join https://{coordinator.Host}:{coordinator.Port}")
            : null;
    }

    private ValueTask OnAttemptFailed(OnRetryArguments<object> retry)
    {
        var reason = retry.Outcome.Exception?.Message ?? "";
        if (retry.AttemptNumber == 0)
            LogUnreachable(_log, _options.Coordinator, reason);
        else
            LogAttempt(_log, retry.AttemptNumber + 1, _options.Coordinator, reason);
        return ValueTask.CompletedTask;
    }

    private async Task ServeAsync(AttachSession session, CancellationToken cancel)
    {
        LogAttached(_log, _options.Coordinator, _options.AgentId);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var uploading = new SampleUploader(_dialer, _options, _outbox, _log).RunAsync(session.Grant.SessionId, ended.Token);
        var broken = await session.RunAsync(GoodbyeAsync(ended.Token)).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        await uploading.ConfigureAwait(false);
        cancel.ThrowIfCancellationRequested();
        if (broken is null)
            LogLeft(_log, _options.Coordinator, await _leave.Task.ConfigureAwait(false));
        else
            LogLost(_log, _options.Coordinator, broken);
    }

    /// <summary>Completes when it is time to say Goodbye: the samples have arrived, or will not.</summary>
    private async Task<string> GoodbyeAsync(CancellationToken cancel)
    {
        var reason = await _leave.Task.WaitAsync(cancel).ConfigureAwait(false);
        using var flush = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        flush.CancelAfter(_flushTimeout);
        while (!flush.IsCancellationRequested)
        {
            var changed = _outbox.Changed;
            if (_outbox.Count == 0)
                break;
            await changed.WaitAsync(flush.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return reason;
    }
}
