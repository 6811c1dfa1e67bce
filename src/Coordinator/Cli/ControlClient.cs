using System.Runtime.CompilerServices;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Verdicts;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The control API as a client uses it. Every failure is a <see cref="CliException"/>.</summary>
internal sealed class ControlClient : IDisposable
{
    private const int PageSize = 200;

    private readonly CoordinatorChannel _channel;
    private readonly Control.ControlClient _client;
    private readonly string _name;
    private bool _answered;

    private ControlClient(CoordinatorChannel channel, string name) => (_channel, _client, _name) = (channel, new(channel.Invoker), name);

    /// <summary>A client of a local coordinator.</summary>
    public static ControlClient For(RunPaths paths)
    {
        try
        {
            return new(CoordinatorChannel.ForSocket(paths.Socket, CredentialFile.Read(paths.Credential)), "the coordinator");
        }
        catch (CredentialException e)
        {
            throw new CliException(ExitCode.Unreachable, e.Message, e);
        }
    }

    /// <summary>A client of a coordinator that was named.</summary>
    public static ControlClient For(RemoteCoordinator coordinator) =>
        new(CoordinatorChannel.ForUrl(coordinator.Url, coordinator.Trust, coordinator.Token), $"the coordinator {coordinator.Url}");

    /// <param name="spec">What is wanted.</param>
    /// <param name="requestId">The same one twice makes one run.</param>
    /// <param name="cancel">Gives up.</param>
    public Task<RunView> CreateRunAsync(RunSpec spec, string requestId, CancellationToken cancel) => CallAsync(async () =>
        WireTranslation.FromWire(await _client.CreateRunAsync(
            new() { Spec = WireTranslation.ToWire(spec), RequestId = requestId }, cancellationToken: cancel)));

    /// <summary>The arithmetic of a run; nothing is started.</summary>
    public Task<PlanAnswer> PlanRunAsync(RunSpec spec, CancellationToken cancel) => CallAsync(async () =>
        WireTranslation.FromWire(await _client.PlanRunAsync(new() { Spec = WireTranslation.ToWire(spec) }, cancellationToken: cancel)));

    /// <param name="id">Empty: the latest run.</param>
    /// <param name="cancel">Gives up.</param>
    public Task<RunView> GetRunAsync(string id, CancellationToken cancel) => CallAsync(async () =>
        WireTranslation.FromWire(await _client.GetRunAsync(new() { Id = id }, cancellationToken: cancel)));

    /// <summary>The run's summary as JSON, as far as it has come.</summary>
    public Task<string> GetRunReportAsync(string id, CancellationToken cancel) => CallAsync(async () =>
        (await _client.GetRunReportAsync(new() { Id = id }, cancellationToken: cancel)).SummaryJson);

    /// <summary>The run's latencies in HdrHistogram's log format, in parts of whole lines.</summary>
    public async IAsyncEnumerable<string> GetRunLatencyLogAsync(string id, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var call = _client.GetRunLatencyLog(new() { Id = id }, cancellationToken: cancel);
        while (await CallAsync(() => call.ResponseStream.MoveNext(cancel)))
            yield return call.ResponseStream.Current.Text;
    }

    /// <summary>The run's sockets by source and by destination.</summary>
    public Task<SocketsView> GetRunSocketsAsync(string id, CancellationToken cancel) => CallAsync(async () =>
        WireTranslation.FromWire(await _client.GetRunSocketsAsync(new() { Id = id }, cancellationToken: cancel)));

    /// <summary>Runs, newest first, without their summaries.</summary>
    /// <param name="atMost">How many.</param>
    /// <param name="cancel">Gives up.</param>
    public Task<IReadOnlyList<RunView>> ListRunsAsync(int atMost, CancellationToken cancel) => CallAsync<IReadOnlyList<RunView>>(async () =>
    {
        var runs = new List<RunView>();
        for (var page = ""; ;)
        {
            var size = Math.Min(PageSize, atMost - runs.Count);
            var response = await _client.ListRunsAsync(new() { PageSize = size, PageToken = page }, cancellationToken: cancel);
            runs.AddRange(response.Runs.Select(WireTranslation.FromWire));
            if ((page = response.NextPageToken).Length == 0 || runs.Count >= atMost)
                return runs;
        }
    });

    /// <summary>The present state, then each change, until the run has ended.</summary>
    public async IAsyncEnumerable<RunView> WatchRunAsync(string id, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var call = _client.WatchRun(new() { Id = id }, cancellationToken: cancel);
        while (await CallAsync(() => call.ResponseStream.MoveNext(cancel)))
            yield return WireTranslation.FromWire(call.ResponseStream.Current);
    }

    public Task<RunView> ScaleRunAsync(string id, long connections, TimeSpan? over, CancellationToken cancel) => CallAsync(async () =>
        WireTranslation.FromWire(await _client.ScaleRunAsync(
            new() { Id = id, Connections = (ulong)connections, Over = over is { } time ? Duration.FromTimeSpan(time) : null },
            cancellationToken: cancel)));

    public Task<RunView> ReconnectRunAsync(string id, Specs.StormSpec storm, CancellationToken cancel) => CallAsync(async () =>
        WireTranslation.FromWire(await _client.ReconnectRunAsync(
            new() { Id = id, Fraction = storm.Fraction, Within = Duration.FromTimeSpan(storm.Within), Close = storm.Close }, cancellationToken: cancel)));

    public Task<RunView> StopRunAsync(string id, bool immediately, CancellationToken cancel) => CallAsync(async () =>
        WireTranslation.FromWire(await _client.StopRunAsync(new() { Id = id, Immediately = immediately }, cancellationToken: cancel)));

    public Task<IReadOnlyList<AgentView>> ListAgentsAsync(CancellationToken cancel) => CallAsync<IReadOnlyList<AgentView>>(async () =>
    {
        var agents = new List<AgentView>();
        for (var page = ""; ;)
        {
            var response = await _client.ListAgentsAsync(new() { PageSize = PageSize, PageToken = page }, cancellationToken: cancel);
            agents.AddRange(response.Agents.Select(WireTranslation.FromWire));
            if ((page = response.NextPageToken).Length == 0)
                return agents;
        }
    });

    /// <summary>How the hosts of all attached agents stand now.</summary>
    /// <param name="need">Of all together; null: what they are good for by themselves.</param>
    /// <param name="select">Labels that they must carry.</param>
    /// <param name="cancel">Gives up.</param>
    public Task<IReadOnlyList<AgentChecksView>> CheckAgentsAsync(
        Fleet.HostNeed? need, IReadOnlyDictionary<string, string> select, CancellationToken cancel) => CallAsync<IReadOnlyList<AgentChecksView>>(async () =>
    {
        var request = WireTranslation.ToCheckRequest(need);
        foreach (var (label, value) in select)
            request.Select[label] = value;
        return [.. (await _client.CheckAgentsAsync(request, cancellationToken: cancel)).Agents.Select(WireTranslation.FromWire)];
    });

    /// <summary>Unbinds an identity from its key.</summary>
    public Task ForgetAgentAsync(string id, CancellationToken cancel) =>
        CallAsync(async () => await _client.ForgetAgentAsync(new() { Id = id }, cancellationToken: cancel));

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private async Task<T> CallAsync<T>(Func<Task<T>> call)
    {
        try
        {
            var answer = await call();
            _answered = true;
            return answer;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled)
        {
            throw new OperationCanceledException(e.Status.Detail, e);
        }
        catch (RpcException e)
        {
            throw ControlErrors.Translate(e, _name, _answered);
        }
    }
}
