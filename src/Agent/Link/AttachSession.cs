using Grpc.Core;
using Grpc.Net.Client;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;
using LoadHarness.Agent.Safety;
using LoadHarness.V1;
using Microsoft.Extensions.Logging;
using AssignmentStatus = LoadHarness.Agent.Assignments.AssignmentStatus;
using Wire = LoadHarness.V1;

namespace LoadHarness.Agent.Link;

/// <summary>One attachment: from Welcome to Goodbye, or until the connection breaks.</summary>
internal sealed class AttachSession : IAsyncDisposable
{
    private static readonly TimeSpan _goodbyeTimeout = TimeSpan.FromSeconds(3);

    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<AttachRequest, AttachResponse> _call;
    private readonly IAssignmentRunner _runner;
    private readonly CoordinatorClock _clock;
    private readonly Lease _lease;
    private readonly ILogger _log;
    private readonly AttachWriter _writer;
    private volatile AssignmentStatus? _refusal;

    /// <summary>Takes over a call whose Welcome was read.</summary>
    public AttachSession(
        GrpcChannel channel,
        AsyncDuplexStreamingCall<AttachRequest, AttachResponse> call,
        LinkGrant grant,
        IAssignmentRunner runner,
        CoordinatorClock clock,
        Lease lease,
        ILogger log)
    {
        (_channel, _call, Grant, _runner, _clock, _lease, _log) = (channel, call, grant, runner, clock, lease, log);
        _writer = new AttachWriter(call.RequestStream, grant.HeartbeatInterval, CurrentStatus);
    }

    /// <summary>What was granted.</summary>
    public LinkGrant Grant { get; }

    /// <summary>Asked for each assignment; those that come while this is false are passed over.</summary>
    public Func<bool> TakesAssignments { get; init; } = () => true;

    /// <summary>Answers what names mean.</summary>
    public NameLookup Lookup { get; init; } = NameLookup.OfHost;

    /// <summary>Serves the attachment.</summary>
    /// <param name="leave">Completes when Goodbye is to be said; its result is the reason.</param>
    /// <returns>Null after Goodbye; else why the attachment broke.</returns>
    public async Task<string?> RunAsync(Task<string> leave)
    {
        _runner.StatusChanged += _writer.SendStatus;
        try
        {
            _writer.Start();
            var reading = ReadAsync();
            await Task.WhenAny(reading, _writer.Ended, leave).ConfigureAwait(false);
            if (!leave.IsCompleted)
                return await FailureOfAsync(reading).ConfigureAwait(false);
            _writer.SayGoodbye(await leave.ConfigureAwait(false));
            await Task.WhenAny(Task.WhenAll(reading, _writer.Ended), Task.Delay(_goodbyeTimeout)).ConfigureAwait(false);
            return null;
        }
        finally
        {
            _runner.StatusChanged -= _writer.SendStatus;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _writer.Stop();
        _call.Dispose();
        _channel.Dispose();
        await _writer.Ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<string> FailureOfAsync(Task reading)
    {
        try
        {
            await (reading.IsCompleted ? reading : _writer.Ended).ConfigureAwait(false);
            return "the coordinator ended the call";
        }
        catch (Exception e)
        {
            return LinkFailure.Describe(e);
        }
    }

    private async Task ReadAsync()
    {
        while (await _call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            var response = _call.ResponseStream.Current;
            if (response.HeartbeatReply is { } reply)
                TakeReply(reply);
            else if (response.Assignment is { } assignment)
            {
                if (TakesAssignments())
                    TakeAssignment(assignment);
            }
            else if (response.RouteQuery is { } routes)
                AnswerSoon(() => WireTranslation.ToAnswer(WireTranslation.ToQuery(routes).Answer(Lookup)));
            else if (response.CheckQuery is { } checks)
                AnswerSoon(() => WireTranslation.ToAnswer(checks.Id, HostChecks.Run(WireTranslation.ToNeed(checks.Need))));
            else if (response.Refusal is { } refusal)
                throw new LinkLostException(refusal.Message);
        }
    }

    // Names may take their time: on a thread of its own, so that nothing else that comes waits for them.
    private void AnswerSoon(Func<AttachRequest> answer)
    {
        var thread = new Thread(() => _writer.SendAnswer(answer())) { IsBackground = true, Name = "query" };
        thread.Start();
    }

    private void TakeReply(HeartbeatReply reply)
    {
        var now = Clock.BoottimeNanos;
        // What was not sent yet was not answered either.
        if (reply.SentNanos > now)
            return;
        _clock.Observe(reply.SentNanos, now, reply.CoordinatorNanos);
        if (!WorksForAnother)
            _lease.Renew(reply.SentNanos, Grant.Lease);
    }

    /// <summary>A coordinator on another store cannot end this run; if it kept the lease alive nobody could.</summary>
    private bool WorksForAnother =>
        _runner.Status is { Phase: Phase.Prepared or Phase.Running } or { Held: > 0 } && _runner.Status.StoreId != Grant.StoreId;

    private void TakeAssignment(Wire.Assignment message)
    {
        Assignments.Assignment assignment;
        try
        {
            assignment = WireTranslation.ToAssignment(message, Grant);
        }
        catch (WireException e)
        {
            _refusal = WireTranslation.ToRefusal(message, e, _runner.Status?.Held ?? 0);
            AgentLink.LogRefusedAssignment(_log, _refusal.Revision, message.RunId, e.Field, e.Message);
            _writer.SendStatus();
            return;
        }

        _refusal = null;
        try
        {
            _runner.Apply(assignment);
        }
        catch (Exception e)
        {
            // Whatever goes wrong with one assignment, the link stays: the coordinator can still say something else.
            AgentLink.LogApplyFailed(_log, e, assignment.Revision, assignment.RunId);
            var problem = new WireException("assignment", "internal", $"the agent failed over it: {e.Message}");
            _refusal = WireTranslation.ToRefusal(message, problem, _runner.Status?.Held ?? 0);
        }

        _writer.SendStatus();
    }

    /// <summary>A refusal stands until another assignment comes; what is held meanwhile is still told.</summary>
    private AssignmentStatus? CurrentStatus()
    {
        var status = _runner.Status;
        return _refusal is { } refusal ? refusal with { Held = status?.Held ?? 0 } : status;
    }
}
