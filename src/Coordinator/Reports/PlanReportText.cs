using System.Collections.Immutable;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Specs;
using static LoadHarness.Coordinator.Reports.QuantityWords;

namespace LoadHarness.Coordinator.Reports;

/// <summary>The arithmetic of a run in lines for people: first whether it fits, what limits first, and what to change.</summary>
public static class PlanReportText
{
    private const int LabelWidth = 13;

    /// <summary>Lines of at most 80 columns.</summary>
    public static ImmutableArray<string> Lines(CapacityReport report)
    {
        var lines = new LabelledLines(LabelWidth, SummaryText.Width);
        Verdict(report, lines);
        foreach (var warning in Warnings(report))
            lines.Add("warning", warning);
        lines.AddLine();
        foreach (var (label, text) in WorkloadText.Lines(report.Spec).Concat(TransportText.Lines(report.Spec.Transport)))
            lines.Add(label, text);
        lines.Add("fleet", Fleet(report));
        lines.Add("tuples", Tuples(report));
        foreach (var line in PlanText.Weights(report.Weights))
            lines.Add("weights", line);
        lines.Add("descriptors", Descriptors(report));
        lines.Add("opening", Opening(report.Spec, report.Opening));
        Memory(report, lines);
        Churn(report.Spec, report.Churn, lines);
        KernelChosen(report.KernelChosen, lines);
        lines.Add("TIME-WAIT", TimeWait(report.Churn));
        PlanHaproxyText.Add(report.Haproxy, lines);
        if (!report.Assumptions.IsEmpty)
            lines.Add("assumed", string.Join("; ", report.Assumptions));
        return [.. lines.Lines];
    }

    private static void Verdict(CapacityReport report, LabelledLines lines)
    {
        var first = report.First;
        lines.Add("fits", report.Fits ? $"yes: {report.Goal:N0} connections; up to {report.Holds:N0} would fit"
            : report.Goal <= report.Holds ? "no"
            : $"no: {report.Holds:N0} of {report.Goal:N0} connections; {report.Goal - report.Holds:N0} are missing");
        foreach (var problem in report.Problems)
            lines.Add("problem", problem.Message);
        // What stands against it is then said, with its remedies.
        if (!report.Problems.IsEmpty && (first.Holds == 0 || !first.IsExceeded))
            return;
        lines.Add("limit", $"{first.Name}{(first.IsExceeded ? "" : " would come first")}: {first.Arithmetic}");
        lines.Add("change", first.IsExceeded ? first.Advice : $"nothing; for more: {first.Advice}");
        foreach (var also in CapacityLimits.Exceeded(report.Limits).Where(l => l != first))
        {
            lines.Add("limit", $"{also.Name}, too: {also.Arithmetic}");
            lines.Add("change", also.Advice);
        }
    }

    /// <summary>What may not turn out as it is meant: sentences without a full stop.</summary>
    internal static IEnumerable<string> Warnings(CapacityReport report)
    {
        foreach (var limit in report.Limits.Where(l => l is { Binds: false, IsExceeded: true }))
            yield return $"{limit.Name} may not suffice (an estimate): {limit.Arithmetic}. Cheapest first: {limit.Advice}";
        foreach (var warning in report.Warnings)
            yield return warning;
        var churn = report.Churn;
        if (!churn.IsSustainable && report.Fits)
        {
            yield return $"connections that {ChurnWords.Live(report.Spec)} ask for {Rate(churn.Wanted)} and {churn.TuplesNeeded:N0} tuples, "
                + $"those that rest counted; {churn.Tuples:N0} tuples sustain {Rate(churn.RestCeiling)}: after that connections are missing. "
                + $"Give --reuse immediate, {string.Concat(ChurnWords.Remedies(report.Spec).Select(r => r + ", "))}or more tuples";
        }

        var unstamped = report.Hosts.Where(h => !h.Facts.TcpTimestamps).Select(h => h.Host).ToList();
        if (unstamped.Count > 0 && report.Spec.Rest == TimeSpan.Zero && churn.Spec is not { Close: V1.CloseMethod.Rst })
        {
            yield return $"--reuse immediate needs TCP timestamps, and net.ipv4.tcp_timestamps is 0 on {string.Join(", ", unstamped.Take(4))}"
                + $"{(unstamped.Count > 4 ? ", ..." : "")}: connects over TIME-WAIT fail there (EADDRNOTAVAIL) for 60 s. "
                + "Set it to 1, or give --reuse rest or --close rst";
        }

        if (churn.MaxTimeWaitBuckets is { } buckets && churn.TimeWait / report.Spaces.Length > buckets)
        {
            yield return $"{churn.TimeWait:N0} sockets would be in TIME-WAIT and tcp_max_tw_buckets keeps {buckets:N0} a host: the others end early "
                + "and silently (TcpExt TCPTimeWaitOverflow)";
        }
    }

    private static string Fleet(CapacityReport report)
    {
        var hosts = report.Hosts.Length;
        return $"{Number(report.Agents.Length, "agent")} on {Number(hosts, "host")}{(report.Assumptions.IsEmpty ? "" : " (hypothetical)")}, "
            + $"{Number(report.Sources, "source address", "es")}, {Number(report.Agents.Sum(a => (long)a.Agent.Cores), "core")} in all";
    }

    private static string Tuples(CapacityReport report)
    {
        var perSource = report.Sources == 0 ? 0 : report.Tuples / report.Sources;
        var destinations = report.Spaces.Max(s => s.Destinations.V4 + s.Destinations.V6);
        var perDestination = destinations == 0 ? 0 : report.Tuples / destinations;
        var mean = report.Spaces.Select(s => (s.Ports, s.Destinations)).Distinct().Count() > 1 ? " on average" : "";
        return $"{report.Tuples:N0} in all: {perDestination:N0} per destination, {perSource:N0} per source{mean}; "
            + $"{report.Churn.TuplesNeeded:N0} needed"
            + (report.Churn.TuplesNeeded == report.Goal ? "" : $" ({report.Goal:N0} in use, the others rest)");
    }

    private static string Descriptors(CapacityReport report)
    {
        var perTable = report.Agents.Min(a => (long)a.Agent.ConnectionsPerReactor);
        var shared = report.Agents.Any(a => !a.Agent.PrivateDescriptorTables);
        var limit = report.Limits.First(l => l.Kind == CapacityLimitKind.Descriptors).Holds;
        var reactors = (Least: report.Agents.Min(a => a.Reactors), Most: report.Agents.Max(a => a.Reactors));
        var each = reactors.Least == reactors.Most ? $"{reactors.Most:N0}" : $"{reactors.Least:N0} to {reactors.Most:N0}";
        return $"RLIMIT_NOFILE binds {(shared ? "some agents as a whole" : "per reactor (each has a descriptor table of its own)")}: "
            + $"{perTable:N0} connections in one table, {Number(reactors.Most, "reactor").Replace($"{reactors.Most:N0}", each, StringComparison.Ordinal)} "
            + $"an agent needed, {AgentCapacity.MostReactors} at most; {limit:N0} connections in all. "
            + $"fs.file-max of a host must leave {report.Hosts.Max(h => h.Share * h.FilesEach):N0}, fs.nr_open bounds RLIMIT_NOFILE only";
    }

    private static string Opening(RunSpec spec, Opening opening) =>
        $"{DurationText.Format(TimeSpan.FromSeconds(Math.Ceiling(opening.Duration.TotalSeconds)))} at up to {Rate(opening.ConnectsPerSecond)}"
        + (opening.IsDefault ? " (the gentle default: neither --ramp nor --connect-rate was given)" : "")
        + PlanText.WhySlower(spec, opening.ConnectsPerSecond);

    private static void Memory(CapacityReport report, LabelledLines lines)
    {
        var (kernel, user) = (report.Hosts.Sum(h => h.KernelBytes), report.Hosts.Sum(h => h.UserBytes));
        var most = report.Hosts.MaxBy(h => h.KernelBytes + h.UserBytes)!;
        var free = most.Facts.MemoryFreeBytes is { } bytes ? $" of {SizeText.Format(bytes)} free" : "";
        lines.Add("memory", $"agents: kernel {SizeText.Format(kernel)} ({SizeText.Format(most.KernelEach)} a connection, {(most.BothEnds ? "both ends here" : "our end")}), "
            + $"user {SizeText.Format(user)} at most ({(most.KeepsTls ? $"{SizeText.Format(most.UserEach)} a connection with its TLS state" : $"{most.UserEach} bytes a connection")}, "
            + $"{SizeText.Format(MemoryFigures.AgentBase)} an agent); "
            + $"{SizeText.Format(most.KernelBytes + most.UserBytes)}{free} on {(report.Hosts.Length == 1 ? "the host" : "the fullest host")}");
    }

    private static void Churn(RunSpec spec, ChurnCapacity churn, LabelledLines lines)
    {
        var seconds = (churn.Lifetime + ChurnArithmetic.TimeWait).TotalSeconds;
        lines.Add("churn", $"--reuse rest: {Rate(churn.RestCeiling)} at most ({churn.Tuples:N0} tuples / {seconds:0.###} s"
            + (churn.Lifetime > TimeSpan.Zero ? ": 60 s of rest, and the lifetime)" : " of rest; the lifetime adds to these)"));
        lines.Add("", "--reuse immediate, or --close rst: no ceiling by tuples");
        if (churn.Spec is not null)
            lines.Add("", $"this run: {Rate(churn.Wanted)} ({churn.Goal:N0} connections that {ChurnWords.Live(spec)})");
        else if (spec.EndsAreUnforeseen)
            lines.Add("", "this run: not known beforehand, it depends on the target");
    }

    private static void KernelChosen(KernelChosenPorts ports, LabelledLines lines)
    {
        lines.Add("kernel ports", $"a client that lets the kernel choose its ports has {ports.PerPair:N0} (ip_local_port_range {ports.Range}) "
            + $"for one source and one destination: {ports.PerPair:N0} connections, slow from {ports.CheapPerPair:N0} on "
            + $"(42,000 connects/s fall to 500), and {Rate(ports.ChurnPerPair)} of churn ({ports.PerPair:N0} / 60 s)");
        if (ports.Pairs > 1)
            lines.Add("", $"over the {ports.Pairs:N0} pairs here: {ports.Connections:N0} connections, {Rate(ports.Churn)}");
    }

    private static string TimeWait(ChurnCapacity churn) =>
        "60 s on Linux (TCP_TIMEWAIT_LEN, a constant), not the 120 s of older texts, which halve each rate above; "
        + $"up to {churn.TimeWaitAfterDrain:N0} sockets after the drain"
        + (churn.TimeWait > 0 ? $", {churn.TimeWait:N0} while churning" : "")
        + (churn.MaxTimeWaitBuckets is { } buckets ? $"; a host keeps {buckets:N0} (tcp_max_tw_buckets)" : "");
}
