using System.CommandLine;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;
using Spectre.Console;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Shows one run as it is now.</summary>
internal sealed class RunsShowVerb() : Verb(
    "show", "Shows a run as it is now", "loadharness runs show", "loadharness runs show --json")
{
    private const int Width = 80;
    private const int Unbounded = 10_000;

    private readonly Argument<string?> _id = VerbOptions.RunId();
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_id, _json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed) => _coordinator.Check(parsed);

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var (client, run) = await Coordinators.FindAsync(context, _coordinator.Of(parsed, context), parsed.GetValue(_id));
        using (client)
        {
            if (parsed.GetValue(_json))
                context.Out.WriteLine(RunJson.Pretty(RunJson.Of(run)));
            else
                Write(run, context.Out);
        }

        return ExitCode.Passed;
    }

    private static void Write(RunView run, TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = Width;
        foreach (var line in run.Plan?.Lines ?? [])
            writer.WriteLine(line);
        console.Write(RunFrame.Build(run, [], Width, Unbounded));
        if (run.SummaryJson is { } summary)
        {
            writer.WriteLine();
            SummaryText.Write(writer, SummaryJson.Read(summary));
        }
        else if (run is { HasEnded: true, StateReason.Length: > 0 })
            writer.WriteLine(run.StateReason);
    }
}
