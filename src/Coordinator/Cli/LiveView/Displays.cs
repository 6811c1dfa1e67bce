using Spectre.Console;

namespace LoadHarness.Coordinator.Cli.LiveView;

/// <summary>Chooses how progress is shown.</summary>
internal static class Displays
{
    public static IRunDisplay For(CliContext context, RunNotes notes)
    {
        if (!context.Terminal.Live)
            return new PlainRunDisplay(context.Error, notes);
        return new LiveRunDisplay(
            AnsiConsole.Create(new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.Yes,
                ColorSystem = context.Terminal.Colour ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = InteractionSupport.Yes,
                Out = new AnsiConsoleOutput(context.Error),
            }),
            notes);
    }
}
