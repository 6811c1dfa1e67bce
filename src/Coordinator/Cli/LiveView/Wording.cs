using System.Globalization;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Reports;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Cli.LiveView;

/// <summary>Numbers, times and states as every view writes them.</summary>
internal static class Wording
{
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Rate(double perSecond) =>
        perSecond.ToString(perSecond is >= 10 or 0 ? "N0" : "0.0", CultureInfo.InvariantCulture) + "/s";

    /// <summary>A clock: <c>0:07</c>, <c>12:30</c>, <c>1:00:05</c>.</summary>
    public static string Clock(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:00}");

    /// <summary>What happened, one line each, with its time; findings are shown as notes.</summary>
    public static IEnumerable<string> EventLines(IEnumerable<EventView> events) =>
        events.Where(e => e.Kind != "finding").Select(e => $"{Clock(e.Elapsed)} {e.Message}");

    /// <summary>An age: <c>0.4 s</c>, <c>12 s</c>.</summary>
    public static string Age(TimeSpan age) =>
        age.TotalSeconds.ToString(age.TotalSeconds < 10 ? "0.0" : "0", CultureInfo.InvariantCulture) + " s";

    public static string Bytes(long bytes) => bytes < 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.0} GiB");

    public static string Percent(double part) =>
        part.ToString("P0", CultureInfo.InvariantCulture).Replace(" ", "", StringComparison.Ordinal);

    public static string State(RunState state) => state switch
    {
        RunState.Pending => "waiting for agents",
        RunState.Preparing => "getting ready",
        RunState.Ramping => "ramping",
        RunState.Holding => "holding",
        RunState.Draining => "draining",
        RunState.Completed => "completed",
        RunState.Stopped => "stopped",
        RunState.Failed => "failed",
        _ => "unknown",
    };

    /// <summary>RFC 9293's name: <c>SYN-SENT</c>.</summary>
    public static string TcpStateName(TcpState state) => state switch
    {
        TcpState.Established => "ESTABLISHED",
        TcpState.SynSent => "SYN-SENT",
        TcpState.SynReceived => "SYN-RECEIVED",
        TcpState.FinWait1 => "FIN-WAIT-1",
        TcpState.FinWait2 => "FIN-WAIT-2",
        TcpState.TimeWait => "TIME-WAIT",
        TcpState.Closed => "CLOSED",
        TcpState.CloseWait => "CLOSE-WAIT",
        TcpState.LastAck => "LAST-ACK",
        TcpState.Listen => "LISTEN",
        TcpState.Closing => "CLOSING",
        TcpState.NewSynRecv => "NEW-SYN-RECV",
        _ => "UNKNOWN",
    };

    /// <summary>All states that have sockets, ESTABLISHED first even when it has none.</summary>
    public static string KernelLine(KernelStates kernel)
    {
        if (kernel.Error.Length > 0)
            return $"not readable: {kernel.Error}";
        var established = kernel.States.GetValueOrDefault(TcpState.Established);
        var others = kernel.States.Where(s => s.Key != TcpState.Established && s.Value > 0).OrderByDescending(s => s.Value)
            .Select(s => $"{TcpStateName(s.Key)} {Count(s.Value)}");
        var foreign = kernel.Foreign > 0 ? [$"foreign {Count(kernel.Foreign)}"] : Array.Empty<string>();
        return string.Join(", ", others.Prepend($"ESTABLISHED {Count(established)}").Concat(foreign));
    }

    /// <summary>What the other side accepted and holds.</summary>
    public static string BackendLine(IReadOnlyCollection<BackendProgressView> backends)
    {
        var lost = backends.Count(b => b.Lost);
        var late = backends.Count(b => b is { Stale: true, Lost: false });
        return $"accepted {Count(backends.Sum(b => b.Accepted))}, established {Count(backends.Sum(b => b.Established))}"
            + (lost > 0 ? $", {lost} of {backends.Count} lost" : "") + (late > 0 ? $", {late} of {backends.Count} late" : "");
    }

    /// <summary>The most frequent kinds first, errnos of one wording together.</summary>
    public static IEnumerable<string> FailureLines(IEnumerable<FailureView> failures) => failures
        .GroupBy(Meaning, f => f.Count)
        .Select(g => (Words: g.Key, Count: g.Sum()))
        .OrderByDescending(g => g.Count).ThenBy(g => g.Words, StringComparer.Ordinal)
        .Select(g => $"{Count(g.Count)} x {g.Words}");

    private static string Meaning(FailureView failure)
    {
        var (meaning, remedy) = FailureRemedies.Of(FailureNames.Of(failure.Stage, failure.Party, failure.Cause));
        if (FailureNames.WordsOf(failure.Cause, failure.Errno) is { } words)
            return $"{meaning}: {words}";
        return remedy.Length > 0 ? meaning : string.Create(CultureInfo.InvariantCulture, $"{meaning} (errno {failure.Errno})");
    }
}
