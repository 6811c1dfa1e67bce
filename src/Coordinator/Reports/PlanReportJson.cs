using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Planning.Capacity;

namespace LoadHarness.Coordinator.Reports;

/// <summary>The arithmetic of a run as JSON of schema loadharness/plan/v1: counts, bytes, seconds and per second.</summary>
public static class PlanReportJson
{
    private static readonly JsonSerializerOptions _pretty = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes.</summary>
    public static string Write(CapacityReport report) => new JsonObject
    {
        ["schema"] = CapacityReport.SchemaName,
        ["fits"] = report.Fits,
        ["connections"] = report.Goal,
        ["holds"] = report.Holds,
        ["limitedBy"] = report.First.Name,
        ["refusals"] = Texts(report.Refusals),
        ["warnings"] = Texts(PlanReportText.Warnings(report)),
        ["workload"] = PlanSpecJson.Workload(report.Spec),
        ["transport"] = PlanSpecJson.Transport(report.Spec.Transport),
        ["limits"] = new JsonArray([.. report.Limits.Select(Limit)]),
        ["hypothetical"] = !report.Assumptions.IsEmpty,
        ["assumptions"] = Texts(report.Assumptions),
        ["tuples"] = Tuples(report),
        ["agents"] = new JsonArray([.. report.Agents.Select(Agent)]),
        ["hosts"] = new JsonArray([.. report.Hosts.Select(Host)]),
        ["opening"] = new JsonObject
        {
            ["durationSeconds"] = report.Opening.Duration.TotalSeconds,
            ["connectsPerSecond"] = report.Opening.ConnectsPerSecond,
            ["isDefault"] = report.Opening.IsDefault,
        },
        ["churn"] = Churn(report.Churn),
        ["kernelChosenPorts"] = KernelChosen(report.KernelChosen),
        ["haproxy"] = Haproxy(report.Haproxy),
    }.ToJsonString(_pretty);

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);

    private static JsonNode Limit(CapacityLimit limit) => new JsonObject
    {
        ["name"] = limit.Name,
        ["holds"] = limit.Holds,
        ["exceeded"] = limit.IsExceeded,
        ["binds"] = limit.Binds,
        ["arithmetic"] = limit.Arithmetic,
        ["remedies"] = new JsonArray([.. limit.Remedies.Select(r => new JsonObject
        {
            ["change"] = JsonNamingPolicy.CamelCase.ConvertName(r.Change.ToString()),
            ["more"] = r.More,
            ["total"] = r.Total,
            ["text"] = r.Text,
        })]),
    };

    private static JsonNode Tuples(CapacityReport report) => new JsonObject
    {
        ["total"] = report.Tuples,
        ["needed"] = report.Churn.TuplesNeeded,
        ["sources"] = report.Sources,
        ["spaces"] = new JsonArray([.. report.Spaces.Select(s => new JsonObject
        {
            ["host"] = s.Host,
            ["namespace"] = s.NetworkNamespace,
            ["agents"] = s.Agents.Length,
            ["sourcesV4"] = s.SourcesV4,
            ["sourcesV6"] = s.SourcesV6,
            ["sourcePorts"] = s.Ports,
            ["destinationsV4"] = s.Destinations.V4,
            ["destinationsV6"] = s.Destinations.V6,
            ["tuples"] = s.Tuples,
            ["free"] = s.Free,
            ["targetIsLocal"] = s.TargetIsLocal,
        })]),
    };

    private static JsonNode Agent(AgentNeed agent) => new JsonObject
    {
        ["id"] = agent.Agent.AgentId,
        ["host"] = agent.Agent.Host,
        ["share"] = agent.Share,
        ["reactors"] = agent.Reactors,
        ["connectionsPerReactor"] = agent.Agent.ConnectionsPerReactor,
        ["privateDescriptorTables"] = agent.Agent.PrivateDescriptorTables,
    };

    private static JsonNode Host(HostLoad host) => new JsonObject
    {
        ["host"] = host.Host,
        ["agents"] = host.Agents,
        ["share"] = host.Share,
        ["bothEnds"] = host.BothEnds,
        ["kernelBytes"] = host.KernelBytes,
        ["userBytes"] = host.UserBytes,
        ["memoryFreeBytes"] = host.Facts.MemoryFreeBytes,
        ["files"] = host.Share * host.FilesEach,
        ["filesFree"] = host.Facts.FreeFiles,
    };

    private static JsonNode Churn(ChurnCapacity churn) => new JsonObject
    {
        ["timeWaitSeconds"] = ChurnArithmetic.TimeWait.TotalSeconds,
        ["lifetimeSeconds"] = churn.Spec is null ? null : churn.Lifetime.TotalSeconds,
        ["restSeconds"] = churn.Rest.TotalSeconds,
        ["wantedPerSecond"] = churn.Wanted,
        ["restCeilingPerSecond"] = churn.RestCeiling,
        ["sustainable"] = churn.IsSustainable,
        ["timeWait"] = churn.TimeWait,
        ["timeWaitAfterDrain"] = churn.TimeWaitAfterDrain,
        ["maxTimeWaitBuckets"] = churn.MaxTimeWaitBuckets,
    };

    private static JsonNode KernelChosen(KernelChosenPorts ports) => new JsonObject
    {
        ["range"] = ports.Range.ToString(),
        ["perPair"] = ports.PerPair,
        ["cheapPerPair"] = ports.CheapPerPair,
        ["churnPerPair"] = ports.ChurnPerPair,
        ["pairs"] = ports.Pairs,
        ["connections"] = ports.Connections,
        ["churnPerSecond"] = ports.Churn,
    };

    private static JsonNode Haproxy(HaproxyEstimate estimate) => new JsonObject
    {
        ["kernelBytes"] = estimate.KernelBytes,
        ["tcpBytes"] = estimate.TcpBytes,
        ["tlsBytes"] = estimate.TlsBytes,
        ["bufferBytes"] = estimate.BufferBytes,
        ["descriptors"] = estimate.Descriptors,
        ["serverPairs"] = estimate.ServerPairs,
    };
}
