using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Runs and agents as JSON. Field names are stable; times in seconds, sizes in bytes.</summary>
internal static class RunJson
{
    private static readonly JsonSerializerOptions _pretty = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions _line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>For people and programs alike.</summary>
    public static string Pretty(JsonNode node) => node.ToJsonString(_pretty);

    /// <summary>One line, for streams.</summary>
    public static string Line(JsonNode node) => node.ToJsonString(_line);

    public static JsonObject Of(RunView run)
    {
        var json = new JsonObject
        {
            ["id"] = run.Id,
            ["name"] = run.Name,
            ["state"] = run.State.ToString().ToLowerInvariant(),
            ["stateReason"] = run.StateReason,
            ["createdAt"] = run.Created.UtcDateTime.ToString("O", System.Globalization.CultureInfo.InvariantCulture),
            ["targets"] = new JsonArray([.. run.Targets.Select(t => JsonValue.Create(t))]),
            ["connections"] = run.Connections,
        };
        if (run.Plan is { } plan)
            json["plan"] = new JsonObject { ["goal"] = plan.Goal, ["lines"] = new JsonArray([.. plan.Lines.Select(l => JsonValue.Create(l))]) };
        if (run.Progress is { } progress)
            json["progress"] = Of(progress);
        if (!run.Events.IsEmpty)
        {
            json["events"] = new JsonArray([.. run.Events.Select(e => (JsonNode)new JsonObject
            {
                ["second"] = e.Elapsed.TotalSeconds,
                ["kind"] = e.Kind,
                ["agent"] = e.AgentId,
                ["message"] = e.Message,
            })]);
        }

        if (run.SummaryJson is { } summary)
            json["summary"] = JsonNode.Parse(summary);
        return json;
    }

    public static JsonObject Of(AgentView agent) => new()
    {
        ["id"] = agent.Id,
        ["host"] = agent.Host,
        ["pid"] = agent.Pid,
        ["namespace"] = agent.Namespace,
        ["cores"] = agent.Cores,
        ["memoryFreeBytes"] = agent.MemoryFreeBytes,
        ["connectionsPerReactor"] = agent.ConnectionsPerReactor,
        ["privateDescriptorTables"] = agent.PrivateDescriptorTables,
        ["run"] = agent.RunId,
        ["connected"] = agent.Connected,
        ["role"] = agent.Role,
        ["labels"] = new JsonObject(agent.Labels.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value))),
        ["version"] = agent.Version,
        ["addresses"] = new JsonArray([.. agent.Addresses.Select(a => (JsonNode)a)]),
        ["allowProvision"] = new JsonArray([.. agent.AllowProvision.Select(a => (JsonNode)a)]),
        ["findings"] = new JsonArray([.. agent.Findings.Select(f => (JsonNode)f)]),
        ["checks"] = CheckReport.Json(agent.Checks),
        ["capabilities"] = new JsonArray([.. agent.Capabilities.Select(c => (JsonNode)c)]),
        ["lastSeen"] = agent.LastSeen?.UtcDateTime,
    };

    private static JsonObject Of(ProgressView progress)
    {
        var json = new JsonObject
        {
            ["elapsedSeconds"] = progress.Elapsed.TotalSeconds,
            ["goal"] = progress.Goal,
            ["connecting"] = progress.Connecting,
            ["handshaking"] = progress.Handshaking,
            ["established"] = progress.Established,
            ["closing"] = progress.Closing,
            ["openRate"] = progress.OpenRate,
            ["opened"] = progress.Opened,
            ["reopened"] = progress.Reopened,
            ["closedByPeer"] = progress.ClosedByPeer,
            ["failed"] = progress.Failed,
            ["failures"] = new JsonArray([.. progress.Failures.Select(Of)]),
            ["agents"] = new JsonArray([.. progress.Agents.Select(Of)]),
            ["backends"] = new JsonArray([.. progress.Backends.Select(Of)]),
            ["toolLimited"] = progress.Saturated,
        };
        if (progress.Confirmed is { } confirmed)
            json["confirmed"] = confirmed;
        if (progress.Kernel is { } kernel)
            json["kernel"] = Of(kernel);
        if (progress.Connects is { } connects)
            json["connects"] = Of(connects);
        if (progress.Requests is { } requests)
            json["requests"] = Of(requests);
        return json;
    }

    private static JsonObject Of(RequestsView requests)
    {
        var json = Of(requests.Rates);
        json["inFlight"] = requests.InFlight;
        json["waiting"] = requests.Waiting;
        json["completed"] = requests.TotalCompleted;
        json["failed"] = requests.TotalFailed;
        return json;
    }

    private static JsonObject Of(RatesView rates) => new()
    {
        ["scheduledPerSecond"] = rates.Scheduled,
        ["offeredPerSecond"] = rates.Offered,
        ["completedPerSecond"] = rates.Completed,
        ["failedPerSecond"] = rates.Failed,
        ["notOfferedPerSecond"] = rates.NotOffered,
    };

    private static JsonObject Of(KernelStates kernel) => new()
    {
        ["established"] = kernel.States.GetValueOrDefault(TcpState.Established),
        ["timeWait"] = kernel.States.GetValueOrDefault(TcpState.TimeWait),
        ["states"] = new JsonObject(kernel.States.OrderBy(s => s.Key)
            .Select(s => KeyValuePair.Create(Wording.TcpStateName(s.Key), (JsonNode?)JsonValue.Create(s.Value)))),
        ["foreign"] = kernel.Foreign,
        ["ageSeconds"] = kernel.Age.TotalSeconds,
        ["error"] = kernel.Error,
    };

    private static JsonNode Of(FailureView failure) => new JsonObject
    {
        ["stage"] = Kebab(failure.Stage.ToString()),
        ["party"] = Kebab(failure.Party.ToString()),
        ["cause"] = Kebab(failure.Cause.ToString()),
        ["errno"] = failure.Errno,
        ["count"] = failure.Count,
    };

    private static JsonNode Of(AgentProgressView agent) => new JsonObject
    {
        ["id"] = agent.Id,
        ["assigned"] = agent.Share,
        ["established"] = agent.Established,
        ["openRate"] = agent.OpenRate,
        ["failed"] = agent.Failed,
        ["cpu"] = agent.Cpu,
        ["rssBytes"] = agent.RssBytes,
        ["lost"] = agent.Lost,
        ["late"] = agent.Stale,
    };

    private static JsonNode Of(BackendProgressView backend) => new JsonObject
    {
        ["id"] = backend.Id,
        ["accepted"] = backend.Accepted,
        ["established"] = backend.Established,
        ["acceptRate"] = backend.AcceptRate,
        ["cpu"] = backend.Cpu,
        ["rssBytes"] = backend.RssBytes,
        ["lost"] = backend.Lost,
        ["late"] = backend.Stale,
    };

    private static string Kebab(string name) => JsonNamingPolicy.KebabCaseLower.ConvertName(name);
}
