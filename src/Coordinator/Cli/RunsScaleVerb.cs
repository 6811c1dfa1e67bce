using System.CommandLine;
using System.CommandLine.Parsing;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Changes the goal of a run.</summary>
internal sealed class RunsScaleVerb() : Verb(
    "scale",
    "Changes the goal of a run from now on; its end stays where it is",
    "loadharness runs scale 80k --over 30s")
{
    private readonly Argument<string?> _goal = new("GOAL")
    {
        Description = "Connections to hold from now on: 80000, 80k; 0 is a goal too",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Argument<string?> _id = VerbOptions.RunId();
    private readonly Option<string> _over = VerbOptions.Text("--over", "TIME", "How long the change takes; else as the run's rate allows");
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_goal, _id, _over, _json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        if (Goal(parsed) is not { } goal)
            yield return new("GOAL", "", "is missing", "0 to 100,000,000", "Write loadharness runs scale 80k");
        else if (goal.Problem is { } problem)
            yield return problem.At("GOAL", parsed.GetValue(_goal)!);
        else if (goal.Value > RunSpecValidator.MostConnections)
            yield return new("GOAL", parsed.GetValue(_goal)!, "is too large", "0 to 100,000,000", "Write loadharness runs scale 80k");
        if (Over(parsed)?.Problem is { } wrong)
            yield return wrong.At("--over", TextOf(parsed, _over)!);
        foreach (var error in _coordinator.Check(parsed))
            yield return error;
    }

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var (client, run) = await Coordinators.FindAsync(context, _coordinator.Of(parsed, context), parsed.GetValue(_id));
        using (client)
        {
            var goal = Goal(parsed)!.Value.Value;
            LocalCoordinators.RequireGoingOn(run, "scale");
            run = await client.ScaleRunAsync(run.Id, goal, Over(parsed)?.Value, context.Interrupts.First);
            context.Error.WriteLine($"run {run.Id}: the goal is {Wording.Count(goal)} connections from now on");
            if (parsed.GetValue(_json))
                context.Out.WriteLine(RunJson.Pretty(RunJson.Of(run)));
        }

        return ExitCode.Passed;
    }

    private Parsed<long>? Goal(ParseResult parsed)
    {
        if (parsed.GetValue(_goal) is { } text)
            return CountText.Parse(text);
        return null;
    }

    private Parsed<TimeSpan>? Over(ParseResult parsed)
    {
        if (TextOf(parsed, _over) is { } text)
            return DurationText.Parse(text);
        return null;
    }
}
