using System.Collections.Immutable;
using LoadHarness.V1;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace LoadHarness.Coordinator.Cli.LiveView;

/// <summary>The picture of a run at one moment: a function of the run and the terminal's size, at most that size.</summary>
internal static class RunFrame
{
    private const int LabelWidth = 12;
    private const int FewestAgents = 3;
    private const int MostFailureLines = 4;
    private const int MostNotes = 4;
    private const int MostEvents = 3;
    private const int RateWidth = 12;

    /// <summary>Columns up to which a line is filled; wider terminals keep the rest free.</summary>
    private const int WidestLine = 100;

    private static readonly string[] _rates = ["scheduled", "offered", "completed", "failed", "not offered"];

    public static IRenderable Build(RunView run, IReadOnlyList<string> notes, int width, int height) =>
        new Rows(Lines(run, notes, Math.Min(width, WidestLine), height));

    internal static IReadOnlyList<StyledLine> Lines(RunView run, IReadOnlyList<string> notes, int width, int height)
    {
        var lines = new List<StyledLine> { Title(run, width) };
        var foot = notes.TakeLast(MostNotes).Concat(Wording.EventLines(run.Events).TakeLast(MostEvents).Select(l => l.Length <= width ? l : l[..width]))
            .Select(n => new StyledLine().Add(n, StyledLine.Careful)).ToList();
        if (run.Progress is { } progress)
        {
            lines.Add(Bar(run, progress, width));
            lines.AddRange(Counts(progress, run.Goal));
            lines.Add(Kernel(progress.Kernel));
            if (progress.Sockets is { } sockets)
                lines.AddRange(Sockets(sockets, width));
            if (!progress.Backends.IsEmpty)
                lines.Add(Backends(run, progress.Backends));
            lines.AddRange(Failures(progress));
            if (progress.Saturated)
                lines.Add(Label("limit").Add("the agents are the limit in this second, not the target", StyledLine.Careful));
            var room = Math.Max(FewestAgents, height - lines.Count - foot.Count - 2);
            lines.AddRange(AgentTable.Lines(progress.Agents, !run.HasEnded, width, room));
        }

        lines.AddRange(foot);

        // The cursor stands below the last line: a picture of the full height would scroll.
        return lines.Count < height ? lines : [.. lines.Take(Math.Max(1, height - 1))];
    }

    private static StyledLine Title(RunView run, int width)
    {
        var line = new StyledLine().Add("run ").Add(run.Name.Length > 0 ? $"{run.Id} {run.Name}" : run.Id, StyledLine.Strong)
            .Add("  ").Add(Wording.State(run.State), StateStyle(run.State));
        if (run.StateReason.Length > 0)
            line.Add($": {run.StateReason}");
        var time = Times(run);
        return line.Length + time.Length + 2 <= width ? line.EndingAt(width, time, StyledLine.Quiet) : line;
    }

    private static string Times(RunView run)
    {
        if (run.Progress is not { } progress)
            return "";
        var elapsed = Wording.Clock(progress.Elapsed);
        if (run.Plan is not { HoldFrom: { } hold, DrainFrom: { } drain } || run.State is not (RunState.Ramping or RunState.Holding))
            return elapsed;
        var (stage, end) = run.State == RunState.Ramping ? ("ramp", hold) : ("hold", drain);
        var left = end - progress.Elapsed;
        return left > TimeSpan.Zero
            ? $"{elapsed} of {Wording.Clock(drain)}, {stage} ends in {Wording.Clock(left)}"
            : $"{elapsed} of {Wording.Clock(drain)}";
    }

    private static StyledLine Bar(RunView run, ProgressView progress, int width)
    {
        var (goal, established) = (run.Goal, progress.Established);
        var text = $" {Wording.Count(established)} of {Wording.Count(goal)}";
        var part = goal > 0 ? Math.Clamp((double)established / goal, 0, 1) : established == 0 ? 1 : 0;
        var cells = Math.Max(10, width - text.Length - 6);
        var done = (int)(part * cells);
        return new StyledLine().Add(new string('━', done), run.State == RunState.Draining ? StyledLine.Careful : StyledLine.Good)
            .Add(new string('─', cells - done), StyledLine.Quiet)
            .Add(text, StyledLine.Strong)
            .EndingAt(width, Wording.Percent(Math.Floor(part * 100) / 100));
    }

    private static IEnumerable<StyledLine> Counts(ProgressView progress, long goal)
    {
        var now = Label("connections").Add("established ").Add(Wording.Count(progress.Established), StyledLine.Strong);
        if (progress.Goal != goal)
            now.Add($" (due now {Wording.Count(progress.Goal)})", StyledLine.Quiet);
        if (progress.Confirmed is { } confirmed)
            now.Add($", confirmed {Wording.Count(confirmed)}");
        now.Add($", connecting {Wording.Count(progress.Connecting)}");
        if (progress.Handshaking > 0)
            now.Add($", handshaking {Wording.Count(progress.Handshaking)}");
        if (progress.Closing > 0)
            now.Add($", closing {Wording.Count(progress.Closing)}");
        yield return now;

        var flow = Label("opened").Add($"{Wording.Count(progress.Opened)} at ").Add(Wording.Rate(progress.OpenRate), StyledLine.Strong);
        if (progress.ClosedByPeer > 0 || progress.Reopened > 0)
            flow.Add($", closed by the target {Wording.Count(progress.ClosedByPeer)}, reopened {Wording.Count(progress.Reopened)}");
        yield return flow;
        if (progress.Requests is { } requests)
            yield return Requests(requests);
        if (progress.Connects is { } connects)
        {
            yield return Label("per second").Add(string.Concat(_rates.Select(r => $"{r,RateWidth}")), StyledLine.Quiet);
            yield return Rates("connects", connects);
            if (progress.Requests is { Rates: var rates })
                yield return Rates("requests", rates);
        }
    }

    private static StyledLine Requests(RequestsView requests)
    {
        var line = Label("requests").Add($"{Wording.Count(requests.TotalCompleted)} completed");
        if (requests.TotalFailed > 0)
            line.Add($", failed {Wording.Count(requests.TotalFailed)}", StyledLine.Bad);
        line.Add($", in flight {Wording.Count(requests.InFlight)}");
        if (requests.Waiting > 0)
            line.Add($", waiting {Wording.Count(requests.Waiting)}", StyledLine.Careful);
        return line;
    }

    private static StyledLine Rates(string label, RatesView rates) => new StyledLine().Add($"  {label}", StyledLine.Quiet).To(LabelWidth)
        .Add(Cell(rates.Scheduled)).Add(Cell(rates.Offered)).Add(Cell(rates.Completed), StyledLine.Strong)
        .Add(Cell(rates.Failed), rates.Failed > 0 ? StyledLine.Bad : Style.Plain)
        .Add(Cell(rates.NotOffered), rates.NotOffered > 0 ? StyledLine.Careful : Style.Plain);

    private static string Cell(double perSecond) => $"{Wording.Count((long)Math.Round(perSecond)),RateWidth}";

    private static StyledLine Kernel(KernelStates? kernel)
    {
        var line = Label("kernel");
        if (kernel is null)
            return line.Add("no reading yet", StyledLine.Quiet);
        if (kernel.Error.Length > 0)
            return line.Add(Wording.KernelLine(kernel), StyledLine.Careful);
        return line.Add($"{Wording.Age(kernel.Age)} ago: ", StyledLine.Quiet).Add(Wording.KernelLine(kernel));
    }

    // One line each for sources and destinations: how many, the most and the least loaded, and as many more as fit.
    private static IEnumerable<StyledLine> Sockets(SocketsOverviewView sockets, int width)
    {
        if (sockets.SourceCount > 0)
            yield return Spread("sources", sockets.SourceCount, sockets.TopSources, sockets.LeastSource, width);
        if (sockets.DestinationCount > 0)
            yield return Spread("targets", sockets.DestinationCount, sockets.TopDestinations, sockets.LeastDestination, width);
    }

    private static StyledLine Spread(string label, long count, ImmutableArray<EndpointView> top, EndpointView? least, int width)
    {
        var line = Label(label);
        if (count > 1 && least?.States.Total == top[0].States.Total)
            return line.Add($"{Wording.Count(count)} with {Wording.Count(top[0].States.Total)} sockets each");
        if (count > 1)
            line.Add($"{Wording.Count(count)}: ", StyledLine.Quiet);
        var last = count > 1 && least is not null ? $"; least {Text(least)}" : "";
        for (var i = 0; i < top.Length && i < Math.Max(1, count - 1); i++)
        {
            var text = (i == 0 && count > 1 ? "most " : i == 0 ? "" : ", ") + Text(top[i]);
            if (i > 0 && line.Length + text.Length + last.Length > width)
                break;
            line.Add(text);
        }

        return line.Add(last);
    }

    private static string Text(EndpointView endpoint) => $"{endpoint.Endpoint} {Wording.Count(endpoint.States.Total)}";

    private static StyledLine Backends(RunView run, ImmutableArray<BackendProgressView> backends)
    {
        // No samples come once a run has ended.
        var shown = run.HasEnded ? [.. backends.Select(b => b with { Stale = false })] : backends;
        return Label("backends").Add(Wording.BackendLine(shown), shown.Any(b => b.Lost) ? StyledLine.Bad : Style.Plain);
    }

    private static IEnumerable<StyledLine> Failures(ProgressView progress)
    {
        if (progress.Failed == 0 && progress.Failures.IsEmpty)
        {
            yield return Label("failures").Add("none", StyledLine.Quiet);
            yield break;
        }

        var kinds = Wording.FailureLines(progress.Failures).ToList();
        if (kinds.Count == 0)
            kinds.Add(Wording.Count(progress.Failed));
        for (var i = 0; i < Math.Min(kinds.Count, MostFailureLines); i++)
            yield return Label(i == 0 ? "failures" : "").Add(kinds[i], StyledLine.Bad);
        if (kinds.Count > MostFailureLines)
            yield return Label("").Add($"and {kinds.Count - MostFailureLines} more kinds", StyledLine.Bad);
    }

    private static StyledLine Label(string label) => new StyledLine().Add(label, StyledLine.Quiet).To(LabelWidth);

    private static Style StateStyle(RunState state) => state switch
    {
        RunState.Holding or RunState.Completed => StyledLine.Good,
        RunState.Failed => StyledLine.Bad,
        _ => StyledLine.Careful,
    };
}
