using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Runs;

/// <summary>
/// Specs and plans as the store keeps them: JSON with the names of our own records. A property that is added needs a default, and
/// one that is renamed keeps its old name here: stored runs outlive the program that wrote them.
/// </summary>
internal static class StoredText
{
    private static readonly JsonSerializerOptions _options = new(JsonSerializerDefaults.Web)
    {
        Converters = { new StoredAddressConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IgnoreReadOnlyProperties = true,
    };

    /// <summary>A spec with every default filled in.</summary>
    public static string Write(RunSpec spec) => JsonSerializer.Serialize(spec, _options);

    /// <summary>A plan as it is shown.</summary>
    public static string Write(PlanOverview plan) => JsonSerializer.Serialize(plan, _options);

    /// <summary>Reads what <see cref="Write(RunSpec)"/> wrote.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static RunSpec ReadSpec(string text)
    {
        var spec = Read<RunSpec>(text);
        // Before there were workloads a spec had its churn alone.
        return JsonNode.Parse(text)?["churn"] is JsonObject churn && Read<ChurnSpec>(churn.ToJsonString()) is var (life, close)
            ? spec with { Workload = [new(1, new WorkloadSpec.Churn(new(LifetimeSpread.Fixed, life, life), close))] }
            : spec;
    }

    /// <summary>Reads what <see cref="Write(PlanOverview)"/> wrote.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static PlanOverview ReadPlan(string text) => Read<PlanOverview>(text);

    private static T Read<T>(string text) => JsonSerializer.Deserialize<T>(text, _options) ?? throw new JsonException("it is null");
}
