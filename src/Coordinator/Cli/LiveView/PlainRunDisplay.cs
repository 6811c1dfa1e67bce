using System.Collections.Immutable;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Cli.LiveView;

/// <summary>Lines, for logs and pipes: each second while the goal moves, then each ten seconds or when something has changed.</summary>
internal sealed class PlainRunDisplay(TextWriter writer, RunNotes notes) : IRunDisplay
{
    private static readonly TimeSpan _whileMoving = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _whileSteady = TimeSpan.FromSeconds(10);

    private RunView? _written;
    private EventView? _lastEvent;

    public async Task<RunView> FollowAsync(RunView first, IAsyncEnumerator<RunView> updates)
    {
        using var passing = notes.PassTo(Write);
        var last = first;
        Show(last);
        while (await updates.MoveNextAsync())
            Show(last = updates.Current);
        return last;
    }

    internal void Show(RunView run)
    {
        ShowEvents(run.Events);
        if (!IsDue(run))
            return;
        _written = run;
        Write(Line(run));
    }

    private void ShowEvents(ImmutableArray<EventView> events)
    {
        var known = _lastEvent is { } last ? events.LastIndexOf(last) + 1 : 0;
        foreach (var line in Wording.EventLines(events.Skip(known)))
            Write(line);
        _lastEvent = events.LastOrDefault() ?? _lastEvent;
    }

    private bool IsDue(RunView run)
    {
        if (_written is not { } before || before.State != run.State || (before.Progress is null && run.Progress is not null))
            return true;
        if (run.Progress is not { } now || before.Progress is not { } then)
            return false;
        var since = now.Elapsed - then.Elapsed;
        return since >= (run.State is RunState.Ramping or RunState.Draining || HasChanged(then, now) ? _whileMoving : _whileSteady);
    }

    private static bool HasChanged(ProgressView then, ProgressView now) =>
        now.Goal != then.Goal || now.Failed != then.Failed || now.ClosedByPeer != then.ClosedByPeer
        || now.Agents.Count(a => a.Lost) != then.Agents.Count(a => a.Lost)
        || now.Backends.Count(b => b.Lost) != then.Backends.Count(b => b.Lost);

    private static string Line(RunView run)
    {
        var reason = run.StateReason.Length > 0 ? $": {run.StateReason}" : "";
        var state = $"{Wording.State(run.State)}{reason}";
        if (run.Progress is not { } progress)
            return $"run {run.Id} {state}";
        var parts = new List<string>
        {
            $"{Wording.Clock(progress.Elapsed)} {state}",
            $"{Wording.Count(progress.Established)} of {Wording.Count(run.Goal)}",
            Wording.Rate(progress.OpenRate),
            $"connecting {Wording.Count(progress.Connecting)}",
        };
        if (progress.Handshaking > 0)
            parts.Add($"handshaking {Wording.Count(progress.Handshaking)}");
        if (progress.Requests is { } requests)
            parts.Add(Requests(requests));
        if (progress.Connects is { NotOffered: > 0 and var late })
            parts.Add($"connects not offered {Wording.Rate(late)}");
        if (progress.Confirmed is { } confirmed)
            parts.Add($"confirmed {Wording.Count(confirmed)}");
        if (progress.Closing > 0)
            parts.Add($"closing {Wording.Count(progress.Closing)}");
        if (progress.Kernel is { } kernel)
            parts.Add($"kernel {Wording.KernelLine(kernel)} ({Wording.Age(kernel.Age)} ago)");
        if (!progress.Backends.IsEmpty)
            parts.Add($"backends {Wording.BackendLine(progress.Backends)}");
        parts.Add(progress.Failures.IsEmpty ? "no failures" : $"failures {string.Join(", ", Wording.FailureLines(progress.Failures))}");
        if (progress.Agents.Count(a => a.Lost) is > 0 and var lost)
            parts.Add($"agents lost {lost}");
        return string.Join("; ", parts);
    }

    private static string Requests(RequestsView requests)
    {
        var text = $"requests {Wording.Count(requests.TotalCompleted)} completed at {Wording.Rate(requests.Rates.Completed)}, failed {Wording.Count(requests.TotalFailed)}";
        if (requests.Waiting > 0)
            text += $", waiting {Wording.Count(requests.Waiting)}";
        return requests.Rates.NotOffered > 0 ? $"{text}, not offered {Wording.Rate(requests.Rates.NotOffered)}" : text;
    }

    private void Write(RunNote note)
    {
        Write(note.Text);
        foreach (var line in note.Details)
            Write($"  {line}");
    }

    private void Write(string line)
    {
        lock (writer)
            writer.WriteLine(line);
    }
}
