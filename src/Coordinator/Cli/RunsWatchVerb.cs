using System.CommandLine;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Follows a run until it has ended.</summary>
internal sealed class RunsWatchVerb() : Verb(
    "watch",
    "Follows a run until it has ended; Ctrl-C ends the watching and not the run",
    "loadharness runs watch",
    "loadharness runs watch --json | jq .progress.established")
{
    private readonly Argument<string?> _id = VerbOptions.RunId();
    private readonly Option<bool> _json = VerbOptions.Flag("--json", "Write each state as a line of JSON to standard output and nothing else");

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_id, _json];

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var cancel = context.Interrupts.First;
        var (client, run) = await LocalCoordinators.FindAsync(context, parsed.GetValue(_id));
        using (client)
        {
            await using var updates = client.WatchRunAsync(run.Id, cancel).GetAsyncEnumerator(cancel);
            if (!parsed.GetValue(_json))
                return RunReport.Write(await Displays.For(context, new RunNotes()).FollowAsync(run, updates), json: false, context);
            while (await updates.MoveNextAsync())
            {
                run = updates.Current;
                context.Out.WriteLine(RunJson.Line(RunJson.Of(run)));
                context.Out.Flush();
            }

            return RunReport.ExitCodeOf(run);
        }
    }
}
