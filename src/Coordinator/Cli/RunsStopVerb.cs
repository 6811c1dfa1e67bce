using System.CommandLine;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Ends a run.</summary>
internal sealed class RunsStopVerb() : Verb(
    "stop",
    "Drains a run, which then reports as usual",
    "loadharness runs stop",
    "loadharness runs stop --now")
{
    private readonly Argument<string?> _id = VerbOptions.RunId();
    private readonly Option<bool> _now = VerbOptions.Flag("--now", "Reset every connection at once instead of draining");
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_id, _now, _json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed) => _coordinator.Check(parsed);

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var (client, run) = await Coordinators.FindAsync(context, _coordinator.Of(parsed, context), parsed.GetValue(_id));
        using (client)
        {
            LocalCoordinators.RequireGoingOn(run, "stop");
            var now = parsed.GetValue(_now);
            run = await client.StopRunAsync(run.Id, now, context.Interrupts.First);
            context.Error.WriteLine($"run {run.Id} {(now ? "ends at once" : "drains")}");
            if (parsed.GetValue(_json))
                context.Out.WriteLine(RunJson.Pretty(RunJson.Of(run)));
        }

        return ExitCode.Passed;
    }
}
