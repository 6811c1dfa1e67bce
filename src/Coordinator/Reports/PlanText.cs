using System.Collections.Immutable;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Reports;

/// <summary>A plan in lines for people: what <c>run</c> prints before the first connect.</summary>
public static class PlanText
{
    private const int LabelWidth = 10;

    /// <summary>Lines of at most 80 columns.</summary>
    /// <param name="spec">What was asked for.</param>
    /// <param name="plan">What came of it.</param>
    public static ImmutableArray<string> Lines(RunSpec spec, RunPlan plan)
    {
        var lines = new LabelledLines(LabelWidth, SummaryText.Width);
        lines.Add("target", Target(spec, plan));
        lines.Add("goal", $"{plan.Goal:N0} connections, {(spec.Workload.All(w => w.Workload is WorkloadSpec.Hold) ? "held" : "kept up")} for {DurationText.Format(spec.Hold)}");
        if (plan.Cut is { } cut)
            lines.Add("cut", $"from {cut.Asked:N0} to what fits: {string.Join(" ", cut.Why)}");
        foreach (var (label, text) in WorkloadText.Lines(spec).Concat(TransportText.Lines(spec.Transport)))
            lines.Add(label, text);
        lines.Add("opening", Opening(spec, plan));
        if (spec.Churn is { } churn)
            lines.Add("churn", Churn(spec, plan, churn));
        if (spec.EndsAreUnforeseen)
            lines.Add(spec.Churn is null ? "churn" : "", Unforeseen(spec, plan));
        lines.Add("sources", Sources(spec, plan));
        lines.Add("tuples", $"{plan.Tuples:N0} in {plan.Blocks:N0} blocks of {BlockRange.PortsPerBlock} ports, {Reuse(spec)}");
        foreach (var line in Weights(WeightedShare.Of(plan)))
            lines.Add("weights", line);
        lines.Add("agents", Agents(plan));
        lines.Add("if lost", $"{Loss(spec.OnAgentLoss)}; {Join(spec.OnAgentJoin)}");
        if (spec.Backends > 0)
            lines.Add("backends", $"{spec.Backends:N0}, each on port{(spec.BackendListen is [{ Count: 1 }] ? "" : "s")} "
                + $"{PortText.Format(spec.BackendListen)}{(spec.ExpectGreeting ? ", greeting each connection" : "")}");
        foreach (var warning in plan.Warnings)
            lines.Add("warning", warning);
        lines.Add("timeouts", $"connect {DurationText.Format(spec.ConnectTimeout)}, drain {Rounded(plan.DrainTimeout)}, "
            + $"the whole run {DurationText.Format(spec.MaxDuration)}");
        return [.. lines.Lines];
    }

    private static string Target(RunSpec spec, RunPlan plan)
    {
        var named = spec.Targets.Select(t =>
        {
            var addresses = t.IsAskedOfAgents
                ? [.. plan.Destinations.Where(d => d.Name == t.Host).Select(d => d.Addresses.First).Distinct()]
                : t.Addresses;
            return addresses is [var only] && only.ToString() == t.Host
                ? t.Text
                : $"{t.Text} ({string.Join(", ", addresses.Take(4))}{(addresses.Length > 4 ? ", ..." : "")})";
        });
        return $"{string.Join(", ", named)}: {Number(plan.Destinations.Sum(d => d.Count), "destination")}";
    }

    private static string Opening(RunSpec spec, RunPlan plan)
    {
        var rate = RateText.Format(plan.Schedule.ConnectsPerSecond);
        var duration = Rounded(plan.RampEnd);
        if (spec.Ramp is not null)
            return $"{duration} ramp, at most {rate}";
        return plan.RateIsDefault
            ? $"{rate} for {duration} (the gentle default: neither --ramp nor --connect-rate was given)"
            : $"{rate} for {duration}{WhySlower(spec, plan.Schedule.ConnectsPerSecond)}";
    }

    /// <summary>Why a connect rate is lower than the one that was asked for; empty when it is not.</summary>
    /// <param name="spec">What was asked for.</param>
    /// <param name="perSecond">What came of it. Agents' own limits refuse a rate; only tuples lower it.</param>
    internal static string WhySlower(RunSpec spec, double perSecond) =>
        spec.ConnectRate is { } asked && spec.Ramp is null && asked > perSecond
            ? $" (less than the --connect-rate of {RateText.Format(asked)}: tuples rest {DurationText.Format(spec.Rest)} after each connection, and at "
                + "more they would run out; --reuse immediate, --close rst or more tuples allow it)"
            : "";

    /// <summary>What weights come to; nothing when all are the same.</summary>
    internal static IEnumerable<string> Weights(ImmutableArray<WeightedShare> shares)
    {
        if (shares.IsEmpty)
            yield break;
        var parts = shares.Take(6).Select(s => $"{s.Text} (weight {s.Weight:N0}) {s.Expected:N0}"
            + (s.Expected < s.Asked ? $" of the {s.Asked:N0} that its weight asks for" : ""));
        yield return $"about {string.Join(", ", parts)}{(shares.Length > 6 ? ", ..." : "")}"
            + (shares.Any(s => s.Expected < s.Asked)
                ? ": the proportions cannot be kept, since the tuples of the heavier destinations run out and the others take the rest"
                : "");
    }

    private static string Churn(RunSpec spec, RunPlan plan, ChurnSpec churn)
    {
        var byRst = churn.Close == V1.CloseMethod.Rst;
        var rate = plan.Goal / churn.Lifetime.TotalSeconds;
        var resting = spec.Rest.TotalSeconds * rate;
        var text = $"{(spec.Workload is [{ Workload: WorkloadSpec.Churn { Life.Spread: V1.LifetimeSpread.Fixed } }] ? "" : $"connections {ChurnWords.Live(spec)}: ")}{Rate(rate)} end and are replaced at the goal";
        if (byRst || spec.Rest == TimeSpan.Zero)
            return $"{text}; no tuple rests, so the endpoint space sets no ceiling";
        return $"{text}; {Math.Ceiling(resting):N0} tuples rest {DurationText.Format(spec.Rest)} each"
            + (plan.ChurnCeiling is { } ceiling ? $"; the ceiling is {Rate(ceiling)}" : "");
    }

    private static string Unforeseen(RunSpec spec, RunPlan plan)
    {
        var rate = plan.Schedule.ConnectsPerSecond;
        var most = spec.Workload.Select(w => w.Workload.Requests).FirstOrDefault(p => p is { PerConnection: > 0, Load: LoadSpec.Closed });
        return $"how often connections end depends on the target and is not known beforehand; at most {RateText.Format(Math.Round(rate, 1))} are opened again"
            + (most is null ? "" : $", which is room for {RateText.Format(Math.Floor(Math.Min(rate * most.PerConnection, 1e15)))} of requests")
            + (plan.RateIsDefault ? " (the gentle default; --connect-rate allows more)" : "")
            + (spec.Rest > TimeSpan.Zero ? $"; each leaves a tuple that rests {DurationText.Format(spec.Rest)}, and there are {plan.Tuples:N0}" : "");
    }

    private static string Rate(double perSecond) => RateText.Format(perSecond >= 10 ? Math.Floor(perSecond) : Math.Round(perSecond, 2));

    private static string Reuse(RunSpec spec) =>
        spec.Rest == TimeSpan.Zero ? "reused at once" : $"reused after {DurationText.Format(spec.Rest)}";

    private static string Sources(RunSpec spec, RunPlan plan)
    {
        var ranges = plan.Agents.SelectMany(a => a.Slice.Blocks).Select(b => b.Sources).Distinct().OrderBy(s => s.First).ToList();
        var addresses = string.Join(", ", ranges.Take(4)) + (ranges.Count > 4 ? ", ..." : "");
        var how = !spec.Provision.IsEmpty ? " (added while the run lasts, as far as they are not there)"
            : spec.Sources.IsEmpty ? " (chosen by the route)" : "";
        var ports = spec.SourcePorts is { } asked ? $"ports {asked}" : "ports by default";
        return $"{addresses}{how}; {ports}";
    }

    private static string Agents(RunPlan plan)
    {
        var byShare = plan.Agents.Take(6).Select(a => $"{a.AgentId} {a.Share:N0}");
        return $"{plan.Agents.Length:N0}: {string.Join(", ", byShare)}{(plan.Agents.Length > 6 ? ", ..." : "")}";
    }

    private static string Loss(V1.AgentLossPolicy policy) => policy switch
    {
        V1.AgentLossPolicy.Hold => "a lost agent's share stays open until it is back",
        V1.AgentLossPolicy.Fail => "the run drains and fails when an agent is lost",
        _ => "the others take over a lost agent's share",
    };

    private static string Join(V1.AgentJoinPolicy policy) =>
        policy == V1.AgentJoinPolicy.Ignore ? "agents that join stay idle" : "agents that join fill what is missing";

    /// <summary>Computed times come with fractions that nobody wants to read.</summary>
    private static string Rounded(TimeSpan time)
    {
        var step = time >= TimeSpan.FromSeconds(10) ? TimeSpan.TicksPerSecond : 10 * TimeSpan.TicksPerMillisecond;
        return DurationText.Format(TimeSpan.FromTicks((time.Ticks + step - 1) / step * step));
    }

    private static string Number(long count, string noun) => $"{count:N0} {noun}{(count == 1 ? "" : "s")}";
}
