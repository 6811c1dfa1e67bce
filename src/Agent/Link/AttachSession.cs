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
    private readonly QueryDesk _queries = new();
    private readonly LogBudget _refusals = new();
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
                _queries.Ask(QueryDesk.Kind.Routes, () => Answer(routes));
            else if (response.CheckQuery is { } checks)
                _queries.Ask(QueryDesk.Kind.Checks, () => Answer(checks));
            else if (response.Refusal is { } refusal)
                throw new LinkLostException(WireTranslation.Shown(refusal.Message));
        }
    }

    private void Answer(Wire.RouteQuery query) => _writer.SendAnswer(WireTranslation.ToAnswer(WireTranslation.ToQuery(query).Answer(Lookup)));

    private void Answer(CheckQuery query) =>
        _writer.SendAnswer(WireTranslation.ToAnswer(query.Id, HostChecks.Run(WireTranslation.ToNeed(query.Need))));

    private void TakeReply(HeartbeatReply reply)
    {
        var now = Clock.BoottimeNanos;
        if (!_writer.IsAnswer(reply))
            return;
        _clock.Observe(reply.SentNanos, now, reply.CoordinatorNanos);
        if (!WorksForAnother)
            _lease.Renew(reply.SentNanos, Grant.Lease, now);
    }

    /// <summary>A coordinator on another store cannot end this run; if it kept the lease alive nobody could.</summary>
    private bool WorksForAnother => _runner.WorksForStore is { } store && store != Grant.StoreId;

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
            if (_refusals.TryTake(Clock.MonotonicNanos, out var leftOut))
                AgentLink.LogRefusedAssignment(_log, _refusal.Revision, _refusal.RunId, e.Field, e.Message, leftOut);
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
