using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Reports;

/// <summary>The summary for a terminal of 80 columns: first whether the goal was reached and whether the number can be believed.</summary>
public static class SummaryText
{
    /// <summary>Columns of a line at most, unless a single word is longer.</summary>
    public const int Width = 80;

    private const int LabelWidth = 10;
    private const int MostAgents = 20;
    private const int MostEvents = 20;
    private const int MostDetails = 5;

    /// <summary>Writes.</summary>
    public static void Write(TextWriter writer, RunSummary summary)
    {
        foreach (var line in Lines(summary))
            writer.WriteLine(line);
    }

    /// <summary>The lines of the report.</summary>
    public static ImmutableArray<string> Lines(RunSummary summary)
    {
        var lines = new LabelledLines(LabelWidth, Width);
        AddHead(lines, summary);
        lines.AddLine();
        AddRun(lines, summary);
        foreach (var storm in summary.Storms)
            lines.Add($"storm {storm.Number}", StormLine(storm));
        AddRates(lines, summary.Rates, summary.Requests);
        AddEvents(lines, summary.Events);
        AddFailures(lines, summary.Failures);
        AddLatency(lines, summary.Latency);
        AddSpread(lines, "sources", "addresses", summary.Kernel.BySource);
        AddSpread(lines, "targets", "endpoints", summary.Kernel.ByDestination);
        AddCounters(lines, summary.Kernel.Counters);
        AddAgents(lines, summary.Agents);
        AddBackends(lines, summary);
        AddLimits(lines, summary);
        lines.AddLine();
        if (summary.Run.HasEnded)
            lines.Add(summary.Verdict.Passed ? "PASSED" : "FAILED", $"exit code {summary.ExitCode}");
        else
            lines.Add("GOES ON", $"{summary.Run.State}; there is no verdict before its end");
        return [.. lines.Lines];
    }

    private static void AddHead(LabelledLines lines, RunSummary summary)
    {
        var (goal, result) = (summary.Target.Connections, summary.Result);
        if (result.Reached)
        {
            var unseen = result.HeldMissingSeconds is > 0 and var missing ? $" ({Seconds(missing)} of it not seen)" : "";
            var held = result.HeldEstablishedMin is { } least ? $", from then on never fewer than {least:N0}{unseen}" : "";
            lines.Add("REACHED", $"{goal:N0} connections after {Seconds(result.ReachedAfterSeconds ?? 0)}{held}");
        }
        else
        {
            lines.Add(summary.Run.HasEnded ? "MISSED" : "SO FAR", $"{result.PeakEstablished:N0} of {goal:N0} connections were the most");
        }

        if (summary.Run.Reason.Length > 0)
            lines.Add("because", summary.Run.Reason);
        lines.Add("kernel:", KernelLine(summary.Kernel));
        if (summary.Kernel.Note.Length > 0)
            lines.Add("", summary.Kernel.Note);
        foreach (var note in summary.Notes)
            lines.Add("note", note);
    }

    private static string KernelLine(KernelFacts kernel)
    {
        if (kernel.Established is not { } established)
            return "not read while holding";
        var agreement = kernel switch
        {
            { Agrees: true } => "agrees with our count",
            { OwnEstablished: null } => "our own count of that moment is incomplete",
            _ => "DOES NOT AGREE with our count",
        };
        return $"{established:N0} ESTABLISHED, {agreement}";
    }

    private static void AddRun(LabelledLines lines, RunSummary summary)
    {
        var (run, result) = (summary.Run, summary.Result);
        var more = summary.Target.Destinations.Length > 6 ? ", ..." : "";
        lines.Add("target", string.Join(", ", summary.Target.Destinations.Take(6)) + more);
        var stages = string.Join(", ", run.Stages.Select(s => $"{s.Name} {Seconds(s.DurationSeconds)}"));
        lines.Add("run", $"{run.Id}{(run.Name.Length > 0 ? $" ({run.Name})" : "")}: {run.State} after {Seconds(run.DurationSeconds)}"
            + (stages.Length > 0 ? $" ({stages})" : ""));
        lines.Add("opened", $"{result.Opened:N0}, {RateText.Format(result.OpenRateMean)} on average and "
            + $"{RateText.Format(result.OpenRatePeak)} at most");
        lines.Add("closed", ClosedLine(result));
        if (result is { HoldOpenRateMean: > 0 and var opens, HoldCloseRateMean: > 0 and var closes })
            lines.Add("churn", $"{RateText.Format(opens)} opened and {RateText.Format(closes)} closed on average while holding");
        if (result.Resumed is > 0 and var resumed)
            lines.Add("tls", $"{resumed:N0} of {result.Opened:N0} handshakes resumed an earlier session");
        AddDrain(lines, summary.Drain);
        if (result.Confirmed is { } confirmed)
            lines.Add("greeted", $"{confirmed:N0} by the target");
    }

    private static string ClosedLine(ResultFacts result)
    {
        var aborted = result.Aborted == 0 ? "" : $" ({result.Aborted:N0} by RST)";
        return $"by the target {result.ClosedByPeer:N0}; by us {result.Closed:N0}{aborted}; reopened {result.Reopened:N0}";
    }

    private static string StormLine(StormFacts storm)
    {
        var back = storm.RecoverySeconds is { } time ? $"{storm.Held:N0} ESTABLISHED again after {Seconds(time)}" : "they did not all come back";
        return $"at {Seconds(storm.AtSeconds)} {storm.Closed:N0} of {storm.Held:N0} connections closed by {storm.Close.ToUpperInvariant()} within "
            + $"{Seconds(storm.WithinSeconds)} and {storm.Opened:N0} opened; {back}, {storm.LowestEstablished ?? 0:N0} were the fewest";
    }

    private static void AddRates(LabelledLines lines, RateFacts connects, RequestFacts? requests)
    {
        lines.AddRow("rates", $"{"",-9}{"scheduled",12}{"offered",12}{"completed",12}{"failed",12}{"not offered",12}");
        AddRates(lines, "connects", "per s", connects);
        if (requests is null)
            return;
        AddRates(lines, "requests", "per s", requests.PerSecond);
        lines.AddRow("", $"{"in all",-9}{requests.Scheduled,12:N0}{requests.Offered,12:N0}{requests.Completed,12:N0}{requests.Failed,12:N0}{requests.NotOffered,12:N0}");
    }

    private static void AddRates(LabelledLines lines, string label, string unit, RateFacts rates) => lines.AddRow(
        label, $"{unit,-9}{Digits(rates.Scheduled),12}{Digits(rates.Offered),12}{Digits(rates.Completed),12}{Digits(rates.Failed),12}{Digits(rates.NotOffered),12}");

    private static void AddDrain(LabelledLines lines, DrainFacts drain)
    {
        var parts = new List<string>();
        if (drain.Aborted > 0)
            parts.Add($"{drain.Aborted:N0} closed by RST");
        if (drain.PausedSeconds > 0)
            parts.Add($"paused for {Seconds(drain.PausedSeconds)}, since the kernel's TCP memory ran short");
        if (parts.Count > 0 && drain.OrphansMax is > 0 and var orphans)
            parts.Add($"up to {orphans:N0} sockets without a process on these hosts");
        if (parts.Count > 0)
            lines.Add("drain", string.Join("; ", parts));
    }

    // Findings stand among the notes already, and storms have lines of their own.
    private static void AddEvents(LabelledLines lines, ImmutableArray<EventFacts> all)
    {
        var events = all.Where(e => e.Kind is not (RunEventKinds.Finding or RunEventKinds.Storm or RunEventKinds.Recovered)).ToList();
        foreach (var (i, happened) in events.Take(MostEvents).Index())
            lines.Add(i == 0 ? "events" : "", $"{Seconds(happened.Second)}: {happened.Message}");
        if (events.Count > MostEvents)
            lines.Add("", $"and {events.Count - MostEvents:N0} more (--json has all)");
    }

    private static void AddCounters(LabelledLines lines, KernelCounterFacts? counters)
    {
        if (counters is null)
            return;
        (string Name, long Count)[] all =
        [
            ("SYN retransmits", counters.SynRetransmits), ("ListenOverflows", counters.ListenOverflows), ("ListenDrops", counters.ListenDrops),
            ("TCPTimeWaitOverflow", counters.TimeWaitOverflow), ("TCPAbortOnMemory", counters.AbortOnMemory),
            ("segments retransmitted", counters.RetransmittedSegments),
        ];
        var counted = all.Where(c => c.Count > 0).Select(c => $"{c.Name} {c.Count:N0}").ToList();
        if (counted.Count > 0)
            lines.Add("counters", string.Join(", ", counted) + " (all of these hosts, during the run)");
    }

    private static void AddFailures(LabelledLines lines, FailureFacts failures)
    {
        if (failures.Total == 0)
        {
            lines.Add("failures", "none");
            return;
        }

        lines.Add("failures", $"{failures.Total:N0}");
        foreach (var (reason, count) in failures.ByReason.OrderByDescending(f => f.Value))
        {
            var (meaning, remedy) = FailureRemedies.Of(reason);
            var name = meaning == reason ? "" : $" ({reason})";
            lines.Add("", $"{count:N0} x {meaning}{name}{(remedy.Length > 0 ? $": {remedy}" : "")}.");
            foreach (var detail in failures.Details.Where(d => d.Reason == reason).Take(MostDetails))
                lines.Add("", $"  {detail.Count:N0} of them: {detail.Words}");
        }
    }

    private static void AddLatency(LabelledLines lines, LatencyFacts latency)
    {
        (string Name, LatencyValues? Values)[] all =
        [
            ("connect", latency.Connect), ("tls", latency.TlsHandshake), ("request", latency.Request), ("service", latency.RequestService),
            ("1st byte", latency.TimeToFirstByte),
        ];
        if (all.All(l => l.Values is null))
            return;
        lines.AddRow("latency", $"{"ms",-9}{"mean",9}{"p50",9}{"p90",9}{"p99",9}{"p99.9",9}{"max",9}");
        foreach (var (name, v) in all)
        {
            if (v is not null)
                lines.AddRow("", $"{name,-9}{Ms(v.Mean),9}{Ms(v.P50),9}{Ms(v.P90),9}{Ms(v.P99),9}{Ms(v.P999),9}{Ms(v.Max),9}");
        }
    }

    private static void AddSpread(LabelledLines lines, string label, string what, IReadOnlyDictionary<string, long> established)
    {
        if (established.Count < 2)
            return;
        var (least, most) = (established.Values.Min(), established.Values.Max());
        lines.Add(label, $"{established.Count:N0} {what} with {least:N0} to {most:N0} connections each");
    }

    private static void AddAgents(LabelledLines lines, ImmutableArray<AgentFacts> agents)
    {
        if (agents.IsEmpty)
            lines.Add("agents", "none took part");
        else
            lines.AddRow("agents", $"{"id",-22}{"share",12}{"peak",12}{"CPU s",8}{"RSS MB",8}{"B/conn",8}");
        foreach (var agent in agents.Take(MostAgents))
        {
            lines.AddRow(agent.Lost ? "  LOST" : "",
                $"{Short(agent.Id),-22}{agent.Assigned,12:N0}{agent.PeakEstablished,12:N0}{Digits(agent.CpuSeconds),8}{Digits(agent.MaxRssBytes / 1e6),8}"
                + PerConnection(agent.BytesPerConnection));
        }

        if (agents.Length > MostAgents)
            lines.Add("", $"and {agents.Length - MostAgents:N0} more");
    }

    private static void AddBackends(LabelledLines lines, RunSummary summary)
    {
        var backends = summary.Backends;
        // A run that never started has no other side.
        if (backends.IsEmpty || summary.Run.StartedAt is null)
            return;
        lines.Add("backends", BackendLine(backends, summary.Result.HeldEstablishedEnd));
        lines.AddRow("", $"{"id",-22}{"accepted",12}{"at hold",12}{"CPU s",8}{"RSS MB",8}{"B/conn",8}");
        foreach (var backend in backends.Take(MostAgents))
        {
            lines.AddRow(backend.Lost ? "  LOST" : "",
                $"{Short(backend.Id),-22}{backend.Accepted,12:N0}{backend.Established,12:N0}{Digits(backend.CpuSeconds),8}"
                + $"{Digits(backend.MaxRssBytes / 1e6),8}{PerConnection(backend.BytesPerConnection)}");
        }

        if (backends.Length > MostAgents)
            lines.Add("", $"and {backends.Length - MostAgents:N0} more");
    }

    private static string BackendLine(ImmutableArray<BackendFacts> backends, long? clients)
    {
        var accepted = $"{backends.Sum(b => b.Accepted):N0} accepted";
        if (backends.Any(b => b.Established is null))
            return $"{accepted}; how many they held is not known in full, a report is missing";
        var held = backends.Sum(b => b.Established!.Value);
        var kernel = backends.Any(b => b.KernelEstablished is not null)
            ? $"kernel {backends.Sum(b => b.KernelEstablished ?? 0):N0}"
            : "kernel not read";
        var compared = clients is not { } own
            ? ""
            : held == own ? ", as many as the clients held" : $", {Math.Abs(held - own):N0} {(held < own ? "fewer" : "more")} than the clients";
        return $"{accepted}, {held:N0} established at hold ({kernel}){compared}";
    }

    private static string PerConnection(double? bytes) => $"{(bytes is { } known ? Digits(known) : "-"),8}";

    private static string Digits(double value) => value < 1000 ? $"{value:N1}" : $"{value:N0}";

    private static string Short(string id) => id.Length > 21 ? id[..18] + "..." : id;

    private static void AddLimits(LabelledLines lines, RunSummary summary)
    {
        lines.Add("limits", summary.Limits.ToolLimited ? "the tool was a limit:" : "the tool was not the limit");
        foreach (var reason in summary.Limits.Reasons)
            lines.Add("", reason);
        foreach (var gap in summary.Gaps.Take(5))
            lines.Add("gap", $"no report of {gap.Agent} for seconds {gap.FromSecond:N0} to {gap.ToSecond - 1:N0}");
        if (summary.Gaps.Length > 5)
            lines.Add("", $"and {summary.Gaps.Length - 5:N0} more gaps");
    }

    private static string Seconds(double seconds) =>
        DurationText.Format(TimeSpan.FromSeconds(seconds >= 10 ? Math.Round(seconds) : Math.Round(seconds, 1)));

    private static string Ms(double milliseconds) => milliseconds >= 1000 ? $"{milliseconds:N0}" : $"{milliseconds:0.##}";
}
