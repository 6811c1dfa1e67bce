using System.CommandLine;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.Specs;
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
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_id, _json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed) => _coordinator.Check(parsed);

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var cancel = context.Interrupts.First;
        var remote = _coordinator.Of(parsed, context);
        var (client, run) = await Coordinators.FindAsync(context, remote, parsed.GetValue(_id));
        using (client)
        {
            var notes = new RunNotes();
            var watch = remote is null
                ? client.WatchRunAsync(run.Id, cancel)
                : new LastingWatch(remote, client, notes, context).FollowAsync(run.Id, cancel);
            await using var updates = watch.GetAsyncEnumerator(cancel);
            if (!parsed.GetValue(_json))
                return RunReport.Write(await Displays.For(context, notes).FollowAsync(run, updates), json: false, context);
            using var said = notes.PassTo(n => context.Error.WriteLine(n.Text));
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
