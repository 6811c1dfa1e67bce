using Spectre.Console;

namespace LoadHarness.Coordinator.Cli.LiveView;

/// <summary>One picture on the terminal that changes in place; its last state stays.</summary>
internal sealed class LiveRunDisplay(IAnsiConsole console, RunNotes notes) : IRunDisplay
{
    /// <summary>The cursor waits behind the last line, where the terminal echoes ^C: that must not run into the next line.</summary>
    private const int EchoRoom = 4;

    private readonly Lock _gate = new();

    public async Task<RunView> FollowAsync(RunView first, IAsyncEnumerator<RunView> updates)
    {
        var last = first;
        var live = console.Live(Frame(first)).Overflow(VerticalOverflow.Crop).AutoClear(false);
        await live.StartAsync(async context =>
        {
            using var passing = notes.PassTo(_ => Draw(context, Volatile.Read(ref last)));
            while (await updates.MoveNextAsync())
            {
                Volatile.Write(ref last, updates.Current);
                Draw(context, last);
            }
        });

        // The picture had no room for these.
        foreach (var note in notes.All.Where(n => !n.Details.IsEmpty))
        {
            console.Profile.Out.Writer.WriteLine(note.Text);
            foreach (var line in note.Details)
                console.Profile.Out.Writer.WriteLine($"  {line}");
        }

        return last;
    }

    private void Draw(LiveDisplayContext context, RunView run)
    {
        lock (_gate)
            context.UpdateTarget(Frame(run));
    }

    private Spectre.Console.Rendering.IRenderable Frame(RunView run) =>
        RunFrame.Build(run, [.. notes.All.Select(n => n.Text)], console.Profile.Width - EchoRoom, console.Profile.Height);
}
