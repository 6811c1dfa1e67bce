using System.Collections.Immutable;
using Grpc.Core;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Api;

/// <summary>The users' API; see control.proto.</summary>
/// <param name="runs">All runs.</param>
/// <param name="agents">All agents.</param>
/// <param name="keys">Which key each agent is bound to.</param>
/// <param name="lifetime">Watchers end when the coordinator does.</param>
public sealed class ControlService(RunRegistry runs, AgentRegistry agents, IAgentKeys keys, IHostApplicationLifetime lifetime)
    : Control.ControlBase
{
    /// <inheritdoc/>
    public override Task<Run> CreateRun(CreateRunRequest request, ServerCallContext context) => ControlErrors.CatchAsync(async () =>
    {
        var run = await runs.CreateAsync(SpecOf(request.Spec), request.RequestId);
        return WireTranslation.ToMessage(run.Snapshot.Value);
    });

    /// <inheritdoc/>
    public override Task<PlanRunResponse> PlanRun(PlanRunRequest request, ServerCallContext context) => ControlErrors.CatchAsync(async () =>
    {
        var report = await runs.PlanAsync(SpecOf(request.Spec), context.CancellationToken);
        return new PlanRunResponse { PlanJson = PlanReportJson.Write(report), Lines = { PlanReportText.Lines(report) }, Fits = report.Fits };
    });

    /// <inheritdoc/>
    public override Task<Run> GetRun(GetRunRequest request, ServerCallContext context) => ControlErrors.CatchAsync(
        () => Task.FromResult(WireTranslation.ToMessage(runs.Get(request.Id).Snapshot.Value)));

    /// <inheritdoc/>
    public override Task<ListRunsResponse> ListRuns(ListRunsRequest request, ServerCallContext context) => ControlErrors.CatchAsync(() =>
    {
        var page = Page.Of(runs.All, r => r.RunId, request.PageSize, request.PageToken);
        return Task.FromResult(new ListRunsResponse
        {
            Runs = { page.Items.Select(r => WireTranslation.ToListed(r.Snapshot.Value)) },
            NextPageToken = page.NextToken,
        });
    });

    /// <inheritdoc/>
    public override Task WatchRun(WatchRunRequest request, IServerStreamWriter<Run> responses, ServerCallContext context) =>
        ControlErrors.CatchAsync(async () =>
        {
            var run = runs.Get(request.Id);
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
            try
            {
                await foreach (var snapshot in run.Snapshot.WatchAsync(s => s.State.HasEnded(), cancel.Token))
                    // A message that is being written when the coordinator ends is written: cut off, it would end the call without a word.
                    await responses.WriteAsync(WireTranslation.ToMessage(snapshot), context.CancellationToken);
            }
            catch (OperationCanceledException) when (
                lifetime.ApplicationStopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
            {
                // The run's end and the coordinator's come together when it drains.
                if (run.Snapshot.Value is { } last && last.State.HasEnded())
                {
                    await responses.WriteAsync(WireTranslation.ToMessage(last), context.CancellationToken);
                    return run;
                }

                throw new RpcException(new Status(StatusCode.Unavailable, "the coordinator is ending"));
            }

            return run;
        });

    /// <inheritdoc/>
    public override Task<Run> ScaleRun(ScaleRunRequest request, ServerCallContext context) => ControlErrors.CatchAsync(async () =>
    {
        if (!request.HasConnections)
            throw ControlErrors.BadRequest([("connections", "connections: it is missing; give the new goal, 0 or more")]);
        if (request.Connections > RunSpecValidator.MostConnections)
        {
            throw ControlErrors.BadRequest(
                [("connections", $"connections {request.Connections}: 0 to {RunSpecValidator.MostConnections} is allowed")]);
        }

        var run = runs.Get(request.Id);
        await run.ScaleAsync((long)request.Connections, WireTranslation.ToTime(request.Over, "over"));
        return WireTranslation.ToMessage(run.Snapshot.Value);
    });

    /// <inheritdoc/>
    public override Task<Run> ReconnectRun(ReconnectRunRequest request, ServerCallContext context) => ControlErrors.CatchAsync(async () =>
    {
        var errors = new List<SpecError>();
        if (StormSpec.Read(WireTranslation.ToStormInput(request), errors) is not { } storm)
            throw ControlErrors.BadRequest([.. errors.Select(e => (e.Field, e.Message))]);
        var run = runs.Get(request.Id);
        await run.ReconnectAsync(storm);
        return WireTranslation.ToMessage(run.Snapshot.Value);
    });

    /// <inheritdoc/>
    public override Task<Run> StopRun(StopRunRequest request, ServerCallContext context) => ControlErrors.CatchAsync(() =>
    {
        var run = runs.Get(request.Id);
        run.Stop(request.Immediately);
        return Task.FromResult(WireTranslation.ToMessage(run.Snapshot.Value));
    });

    /// <inheritdoc/>
    public override Task<V1.RunSockets> GetRunSockets(GetRunSocketsRequest request, ServerCallContext context) => ControlErrors.CatchAsync(() =>
    {
        var run = runs.Get(request.Id);
        var sockets = run.ReadSockets() ?? throw RunRejectedException.NoSocketsKept(run.RunId);
        return Task.FromResult(WireTranslation.ToMessage(run.RunId, sockets));
    });

    /// <inheritdoc/>
    public override Task<GetRunReportResponse> GetRunReport(GetRunReportRequest request, ServerCallContext context) =>
        ControlErrors.CatchAsync(async () =>
        {
            var run = runs.Get(request.Id);
            return new GetRunReportResponse { RunId = run.RunId, SummaryJson = await run.ReportAsync().WaitAsync(context.CancellationToken) };
        });

    /// <inheritdoc/>
    public override Task GetRunLatencyLog(
        GetRunLatencyLogRequest request, IServerStreamWriter<GetRunLatencyLogResponse> responses, ServerCallContext context) =>
        ControlErrors.CatchAsync(async () =>
        {
            var run = runs.Get(request.Id).Snapshot.Value;
            var intervals = await runs.LatenciesAsync(run.Id, context.CancellationToken);
            foreach (var text in LatencyLogText.Write(run.Id, run.StartTime ?? run.CreateTime, intervals))
                await responses.WriteAsync(new() { Text = text }, context.CancellationToken);
            return run;
        });

    /// <inheritdoc/>
    public override async Task<CheckAgentsResponse> CheckAgents(CheckAgentsRequest request, ServerCallContext context)
    {
        var wanted = request.Select.ToImmutableSortedDictionary(StringComparer.Ordinal);
        var asked = agents.Agents.Where(a => a.Session is not null && LabelText.Match(wanted, a.Hello.Labels)).ToImmutableArray();
        var replies = await new CheckSurvey(agents.Clock).AskAsync(asked, WireTranslation.ToNeed(request.Need), context.CancellationToken);
        return new() { Agents = { replies.Select(WireTranslation.ToMessage) } };
    }

    /// <inheritdoc/>
    public override Task<ListAgentsResponse> ListAgents(ListAgentsRequest request, ServerCallContext context)
    {
        var page = Page.Of(agents.Agents, a => a.Id, request.PageSize, request.PageToken);
        return Task.FromResult(new ListAgentsResponse
        {
            Agents = { page.Items.Select(WireTranslation.ToMessage) },
            NextPageToken = page.NextToken,
        });
    }

    /// <inheritdoc/>
    public override async Task<ForgetAgentResponse> ForgetAgent(ForgetAgentRequest request, ServerCallContext context)
    {
        if (keys.Find(request.Id) is null && agents.Find(request.Id) is null)
            throw new RpcException(new Status(StatusCode.NotFound, $"there is no agent `{request.Id}`; `loadharness agents list` shows those that there are"));
        if (agents.Forget(request.Id) is { } reason)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, reason));
        await keys.ForgetAsync(request.Id, context.CancellationToken);
        return new();
    }

    private static Specs.RunSpec SpecOf(V1.RunSpec? asked)
    {
        // What a name means is asked where it is used: on the agents' hosts.
        var result = RunSpecValidator.Validate(WireTranslation.ToInput(asked ?? new()), _ => null);
        return result.Spec ?? throw ControlErrors.BadRequest([.. result.Errors.Select(e => (e.Field, e.Message))]);
    }
}
