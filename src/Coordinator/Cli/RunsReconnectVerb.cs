using System.CommandLine;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Closes a part of what a run holds and opens it again, as after an outage.</summary>
internal sealed class RunsReconnectVerb() : Verb(
    "reconnect",
    "Closes a part of the connections that a run holds and opens as many again, as after an outage",
    "loadharness runs reconnect",
    "loadharness runs reconnect --fraction 25% --within 500ms --close rst")
{
    private readonly Argument<string?> _id = VerbOptions.RunId();
    private readonly Option<string> _fraction = VerbOptions.Text("--fraction", "PERCENT", "Of the connections held, whichever chance picks; 10% if not given");
    private readonly Option<string> _within = VerbOptions.Text(
        "--within", "TIME", "Closes and connects are spread evenly over it, whatever the run's connect rate; 1s if not given");

    private readonly Option<string> _close = VerbOptions.Text("--close", "HOW", "fin, or rst: then their source ports need no rest; fin if not given");
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_id, _fraction, _within, _close, _json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        var errors = new List<SpecError>();
        StormSpec.Read(InputOf(parsed), errors);
        return [.. errors, .. _coordinator.Check(parsed)];
    }

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var (client, run) = await Coordinators.FindAsync(context, _coordinator.Of(parsed, context), parsed.GetValue(_id));
        using (client)
        {
            LocalCoordinators.RequireGoingOn(run, "reconnect");
            run = await client.ReconnectRunAsync(run.Id, StormSpec.Read(InputOf(parsed), [])!, context.Interrupts.First);
            context.Error.WriteLine($"run {run.Id}: {run.Events.LastOrDefault(e => e.Kind == "storm")?.Message ?? "it reconnects"}");
            if (parsed.GetValue(_json))
                context.Out.WriteLine(RunJson.Pretty(RunJson.Of(run)));
        }

        return ExitCode.Passed;
    }

    private StormInput InputOf(ParseResult parsed) => new(
        TextOf(parsed, _fraction) is { } fraction ? fraction : (Quantity<double>?)null,
        TextOf(parsed, _within) is { } within ? within : (Quantity<TimeSpan>?)null,
        TextOf(parsed, _close));
}
