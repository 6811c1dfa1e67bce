using System.CommandLine;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Lists the runs on this machine.</summary>
internal sealed class RunsListVerb() : Verb(
    "list", "Lists the runs that go on on this machine, newest first", "loadharness runs list", "loadharness runs list --json")
{
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_json];

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var clients = LocalCoordinators.Connect(context);
        var runs = (await LocalCoordinators.RunsAsync(clients, context.Interrupts.First)).Select(r => r.Run).ToList();
        if (parsed.GetValue(_json))
            context.Out.WriteLine(RunJson.Pretty(new JsonArray([.. runs.Select(RunJson.Of)])));
        else
            TextTable.Write(context.Out, ["ID", "STATE", ">ELAPSED", ">ESTABLISHED", ">GOAL", "TARGET", "NAME"], runs.Select(Row));
        foreach (var client in clients)
            client.Dispose();
        return ExitCode.Passed;
    }

    private static IReadOnlyList<string> Row(RunView run) =>
    [
        run.Id,
        Wording.State(run.State),
        run.Progress is { } progress ? Wording.Clock(progress.Elapsed) : "-",
        run.Progress is { } now ? Wording.Count(now.Established) : "-",
        Wording.Count(run.Goal),
        string.Join(' ', run.Targets),
        run.Name,
    ];
}
