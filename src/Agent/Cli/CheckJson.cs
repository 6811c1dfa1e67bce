using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using LoadHarness.Agent.Preflight;

namespace LoadHarness.Agent.Cli;

/// <summary>JSON of schema `loadharness/check/v1`.</summary>
internal static class CheckJson
{
    /// <summary>The whole object.</summary>
    /// <param name="hostname">Of this host.</param>
    /// <param name="need">What the checks are held against; null: nothing in particular.</param>
    /// <param name="checks">In their order.</param>
    public static string Of(string hostname, HostNeed? need, ImmutableArray<HostCheck> checks)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("schema", "loadharness/check/v1");
            json.WriteString("host", hostname);
            Write(json, need);
            json.WriteString("verdict", CheckText.Word(checks.Max(c => c.Verdict)));
            json.WriteStartArray("checks");
            foreach (var check in checks)
                Write(json, check);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Write(Utf8JsonWriter json, HostNeed? need)
    {
        if (need is null)
        {
            json.WriteNull("need");
            return;
        }

        json.WriteStartObject("need");
        json.WriteNumber("connections", need.Connections);
        json.WriteBoolean("bothEnds", need.BothEnds);
        json.WriteNumber("connectRate", need.ConnectsPerSecond);
        json.WriteNumber("closeRate", need.ClosesPerSecond);
        json.WriteBoolean("backend", need.Accepts);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, HostCheck check)
    {
        json.WriteStartObject();
        json.WriteString("name", check.Name);
        json.WriteString("verdict", CheckText.Word(check.Verdict));
        json.WriteString("value", check.Value);
        json.WriteString("needed", check.Needed);
        json.WriteString("remedy", check.Remedy);
        json.WriteString("risk", check.Risk);
        json.WriteStartObject("sysctls");
        foreach (var (name, value) in check.Sysctls)
            json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
