using Spectre.Console;

namespace LoadHarness.Coordinator.Cli.LiveView;

/// <summary>One picture on the terminal that changes in place; its last state stays.</summary>
internal sealed class LiveRunDisplay(IAnsiConsole console, RunNotes notes) : IRunDisplay
{
    public async Task<RunView> FollowAsync(RunView first, IAsyncEnumerator<RunView> updates)
    {
        var last = first;
        var live = console.Live(Frame(first)).Overflow(VerticalOverflow.Crop).AutoClear(false);
        await live.StartAsync(async context =>
        {
            var gate = new Lock();
            void Draw(string _)
            {
                lock (gate)
                    context.UpdateTarget(Frame(last));
            }

            notes.Added += Draw;
            try
            {
                while (await updates.MoveNextAsync())
                {
                    last = updates.Current;
                    Draw("");
                }
            }
            finally
            {
                notes.Added -= Draw;
            }
        });
        return last;
    }

    private Spectre.Console.Rendering.IRenderable Frame(RunView run) =>
        RunFrame.Build(run, notes.All, console.Profile.Width, console.Profile.Height);
}
