using System.CommandLine;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>
/// Writes the report of any run: of one that has ended, of one that goes on as far as it has come, and of one whose coordinator died. Exits
/// as the run did; with 0 while it goes on, for there is no verdict yet.
/// </summary>
internal sealed class RunsReportVerb() : Verb(
    "report", "Writes the report of a run: at its end, so far, or after its coordinator died", "loadharness runs report", "loadharness runs report --json",
    "loadharness runs report --hlog run.hlog")
{
    private readonly Argument<string?> _id = VerbOptions.RunId();
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly Option<string> _hlog = LatencyFile.Option();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_id, _json, _hlog, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed) => [.. LatencyFile.Check(TextOf(parsed, _hlog)), .. _coordinator.Check(parsed)];

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        using var hlog = LatencyFile.Create(TextOf(parsed, _hlog));
        var (client, run) = await Coordinators.FindAsync(context, _coordinator.Of(parsed, context), parsed.GetValue(_id));
        using (client)
        {
            var json = await client.GetRunReportAsync(run.Id, context.Interrupts.First);
            var summary = SummaryJson.Read(json);
            if (parsed.GetValue(_json))
                context.Out.WriteLine(RunJson.Pretty(JsonNode.Parse(json)!));
            else
                SummaryText.Write(context.Out, summary);
            if (hlog is not null)
                await hlog.FillAsync(client, run.Id, context.Interrupts.First);
            return summary.Run.HasEnded ? ExitCodes.Of(summary.ExitCode) : ExitCode.Passed;
        }
    }
}
