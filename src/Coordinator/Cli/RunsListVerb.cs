using System.CommandLine;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Lists runs, those that have ended too.</summary>
internal sealed class RunsListVerb() : Verb(
    "list",
    "Lists runs, newest first: those of a fleet, or those that go on on this machine",
    "loadharness runs list",
    "loadharness runs list --coordinator https://coordinator:7443 --limit 200 --json")
{
    private const int DefaultLimit = 50;
    private const int LargestLimit = 1000;

    private readonly Option<string> _limit = VerbOptions.Text("--limit", "N", $"How many ({DefaultLimit})");
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_limit, _json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        var errors = new List<SpecError>(_coordinator.Check(parsed));
        Limit(parsed, errors);
        return errors;
    }

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var limit = (int)Limit(parsed, [])!.Value;
        var clients = Coordinators.Connect(context, _coordinator.Of(parsed, context));
        try
        {
            // One more than is shown tells whether there are more.
            var found = await LocalCoordinators.RunsAsync(clients, limit + 1, context.Interrupts.First);
            var runs = found.Take(limit).Select(r => r.Run).ToList();
            if (parsed.GetValue(_json))
                context.Out.WriteLine(RunJson.Pretty(new JsonArray([.. runs.Select(RunJson.Of)])));
            else
                Write(runs, context);
            if (found.Count > limit)
                context.Error.WriteLine($"the newest {Wording.Count(limit)}; there are more: --limit N");
        }
        finally
        {
            foreach (var client in clients)
                client.Dispose();
        }

        return ExitCode.Passed;
    }

    private static void Write(List<RunView> runs, CliContext context)
    {
        TextTable.Write(context.Out, ["ID", "STATE", ">ELAPSED", ">ESTABLISHED", ">GOAL", "TARGET", "NAME"], runs.Select(Row));
        foreach (var run in runs.Where(r => !r.HasEnded && r.StateReason.Length > 0))
            context.Error.WriteLine($"run {run.Id}: {run.StateReason}");
    }

    private long? Limit(ParseResult parsed, List<SpecError> errors)
    {
        if (TextOf(parsed, _limit) is not { } text)
            return DefaultLimit;
        var limit = CountText.Parse(text);
        if (limit is { Problem: null, Value: >= 1 and <= LargestLimit })
            return limit.Value;
        errors.Add(new("--limit", text, "is no such number", $"1 to {LargestLimit:N0}", $"Leave it out for {DefaultLimit}"));
        return null;
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
