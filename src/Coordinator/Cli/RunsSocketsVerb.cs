using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Shows the sockets of a run by source and by destination, as the kernel counted them.</summary>
internal sealed class RunsSocketsVerb() : Verb(
    "sockets",
    "Shows a run's sockets by source and by destination and state, as the kernel counted them last",
    "loadharness runs sockets --by source",
    "loadharness runs sockets --json | jq .bySource")
{
    private const int Width = 80;
    private const string BySource = "source";
    private const string ByDestination = "destination";
    private const string Both = "both";
    private const int DefaultTop = 15;
    private const int MostTop = 1_000_000;

    private readonly Argument<string?> _id = VerbOptions.RunId();
    private readonly Option<string> _by = VerbOptions.Text("--by", "WHAT", $"What makes a row: {BySource}, {ByDestination} or {Both} (default {Both})");
    private readonly Option<string> _top = VerbOptions.Text("--top", "N", $"Rows of each table at most (default {DefaultTop})");
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_id, _by, _top, _json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        if (parsed.GetValue(_by) is { } by && by is not (BySource or ByDestination or Both))
            yield return new("--by", by, "is none of them", $"{BySource}, {ByDestination} or {Both}", $"Write --by {BySource}");
        if (parsed.GetValue(_top) is { } top && Top(top) is null)
            yield return new("--top", top, "is no number of rows", $"1 to {MostTop}", $"Write --top {DefaultTop}");
        foreach (var error in _coordinator.Check(parsed))
            yield return error;
    }

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var by = parsed.GetValue(_by) ?? Both;
        var (client, run) = await Coordinators.FindAsync(context, _coordinator.Of(parsed, context), parsed.GetValue(_id));
        using (client)
        {
            var sockets = await client.GetRunSocketsAsync(run.Id, context.Interrupts.First);
            var shown = sockets with
            {
                Sources = by == ByDestination ? [] : sockets.Sources,
                Destinations = by == BySource ? [] : sockets.Destinations,
            };
            if (parsed.GetValue(_json))
                context.Out.WriteLine(RunJson.Pretty(Json(shown)));
            else
                Write(context.Out, shown, by, Top(parsed.GetValue(_top) ?? "") ?? DefaultTop);
        }

        return ExitCode.Passed;
    }

    private static int? Top(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var top) && top is >= 1 and <= MostTop ? top : null;

    internal static void Write(TextWriter writer, SocketsView sockets, string by, int top)
    {
        if (sockets is not { TakenAt: { } taken, Age: { } age })
        {
            writer.WriteLine($"run {sockets.RunId}: the kernel has not been read yet; the first reading comes soon after the start");
            return;
        }

        writer.WriteLine($"run {sockets.RunId}: counted by the kernel {Wording.Age(age)} ago, at {Wording.Clock(taken)} of the run");
        if (by != ByDestination)
        {
            writer.WriteLine();
            SocketsTable.Write(writer, BySource, sockets.Sources, top, Width);
        }

        if (by != BySource)
        {
            writer.WriteLine();
            SocketsTable.Write(writer, ByDestination, sockets.Destinations, top, Width);
        }

        writer.WriteLine();
        if (sockets.Foreign > 0)
            writer.WriteLine($"{Wording.Count(sockets.Foreign)} more sockets on these hosts lead to the target and are not of this run");
        var counted = sockets.Counters.Where(c => c.Count > 0).Select(c => $"{c.Name} {Wording.Count(c.Count)}").ToList();
        writer.WriteLine($"since the start these hosts counted: {(counted.Count > 0 ? string.Join(", ", counted) : "nothing out of the ordinary")}");
    }

    private static JsonObject Json(SocketsView sockets) => new()
    {
        ["run"] = sockets.RunId,
        ["takenSeconds"] = sockets.TakenAt?.TotalSeconds,
        ["ageSeconds"] = sockets.Age?.TotalSeconds,
        ["bySource"] = Json(sockets.Sources),
        ["byDestination"] = Json(sockets.Destinations),
        ["foreign"] = sockets.Foreign,
        ["counters"] = new JsonObject(sockets.Counters.Select(c => KeyValuePair.Create(c.Name, (JsonNode?)c.Count))),
    };

    private static JsonObject Json(IEnumerable<EndpointView> endpoints) => new(endpoints.Select(e => KeyValuePair.Create(
        e.Endpoint.ToString(),
        (JsonNode?)new JsonObject(e.States.Occurring.Select(s => KeyValuePair.Create(Wording.TcpStateName(s.State), (JsonNode?)s.Count))))));
}
