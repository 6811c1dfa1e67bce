using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace LoadHarness.TestKit.Processes;

/// <summary>What a process wrote, line by line, with the time of each.</summary>
public sealed class ProcessLog
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _gate = new();
    private readonly List<(TimeSpan Time, bool IsError, string Text)> _lines = [];
    private TaskCompletionSource _changed = NewSignal();
    private int _open = 2;

    /// <summary>Standard output so far.</summary>
    public string Output => Join(isError: false);

    /// <summary>Standard error so far.</summary>
    public string Error => Join(isError: true);

    /// <summary>Everything so far, with times, for the message of a failed test.</summary>
    public string Everything
    {
        get
        {
            lock (_gate)
            {
                return string.Concat(_lines.Select(l => FormattableString.Invariant($"{l.Time.TotalSeconds,8:0.000} {(l.IsError ? "!" : " ")} {l.Text}\n")));
            }
        }
    }

    /// <summary>Whether both streams have ended.</summary>
    public bool Ended
    {
        get
        {
            lock (_gate)
                return _open == 0;
        }
    }

    /// <summary>The first match in any line, those written already included; null when there is none in time or the streams end first.</summary>
    public async Task<Match?> FindAsync(Regex pattern, TimeSpan timeout)
    {
        using var timer = new CancellationTokenSource(timeout);
        for (var next = 0; ;)
        {
            Task changed;
            lock (_gate)
            {
                for (; next < _lines.Count; next++)
                {
                    if (pattern.Match(_lines[next].Text) is { Success: true } match)
                        return match;
                }

                if (_open == 0)
                    return null;
                changed = _changed.Task;
            }

            await Task.WhenAny(changed, Task.Delay(Timeout.Infinite, timer.Token));
            if (timer.IsCancellationRequested)
                return null;
        }
    }

    /// <summary>Adds a line; null ends its stream.</summary>
    internal void Append(bool isError, string? text)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            if (text is null)
                _open--;
            else
                _lines.Add((_clock.Elapsed, isError, text));
            (changed, _changed) = (_changed, NewSignal());
        }

        changed.SetResult();
    }

    private string Join(bool isError)
    {
        var all = new StringBuilder();
        lock (_gate)
        {
            foreach (var line in _lines.Where(l => l.IsError == isError))
                all.Append(line.Text).Append('\n');
        }

        return all.ToString();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
