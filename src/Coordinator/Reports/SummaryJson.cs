using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Reports;

/// <summary>The summary as JSON, schema first.</summary>
public static class SummaryJson
{
    /// <summary>Writes.</summary>
    /// <param name="summary">Finished.</param>
    /// <param name="indented">For people.</param>
    public static string Write(RunSummary summary, bool indented = false) =>
        JsonSerializer.Serialize(summary, indented ? SummaryJsonContext.ForPeople.RunSummary : SummaryJsonContext.Default.RunSummary);

    /// <summary>Reads what <see cref="Write"/> wrote. Properties that this build does not know are passed over.</summary>
    /// <exception cref="InvalidDataException">It is no summary, or one of another schema.</exception>
    public static RunSummary Read(string json)
    {
        RunSummary? summary;
        try
        {
            summary = JsonSerializer.Deserialize(json, SummaryJsonContext.Default.RunSummary);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"not a run summary: {e.Message}", e);
        }

        return summary?.Schema == RunSummary.SchemaName
            ? summary
            : throw new InvalidDataException($"not a run summary of schema {RunSummary.SchemaName}: it says '{summary?.Schema}'");
    }
}

/// <summary>Serialization code for the summary, generated at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RunSummary))]
internal sealed partial class SummaryJsonContext : JsonSerializerContext
{
    /// <summary>Indented; addresses and names stand as they are.</summary>
    public static SummaryJsonContext ForPeople { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
