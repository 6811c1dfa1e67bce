using System.Collections.Immutable;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Finds out whether the tool was the limit, so that nobody takes it for the target's.</summary>
internal static class LimitReader
{
    /// <summary>The part of the rate that churn asks for below which the rate explains why a goal was missed.</summary>
    private const double BehindFrom = 0.95;

    /// <summary>Reads.</summary>
    public static LimitFacts Read(SummaryInput input, ResultFacts result)
    {
        var reasons = ImmutableArray.CreateBuilder<string>();
        foreach (var agent in input.Timeline.Agents.Where(a => a.SaturatedIntervals > 0))
        {
            reasons.Add(
                $"Agent {agent.AgentId} was saturated for {agent.SaturatedIntervals:N0} s (a reactor was late by up to "
                + $"{agent.ReactorLagMax.TotalMilliseconds:N0} ms): what it could not offer was not the target's doing.");
        }

        foreach (var backend in input.Backends?.Timeline.Agents.Where(a => a.SaturatedIntervals > 0) ?? [])
        {
            reasons.Add(
                $"Backend {backend.AgentId} was saturated for {backend.SaturatedIntervals:N0} s (a reactor was late by up to "
                + $"{backend.ReactorLagMax.TotalMilliseconds:N0} ms): what it accepted late was not the doing of what is under test.");
        }

        foreach (var agent in input.Timeline.Agents.Concat(input.Backends?.Timeline.Agents ?? []))
        {
            if (agent.Stopped is { } stop)
                reasons.Add(Stopped(agent.AgentId, stop.Why, stop.At, stop.Established));
        }

        if (input.Timeline.Totals.NotOffered is var notOffered and > 0)
            reasons.Add($"Of the connects that were due, {notOffered:N0} were not started: agents were late, or had no tuple left.");
        // Requests that waited until the end for a connection that is free are the target's doing; only a late agent is ours.
        if (input.Timeline.Totals.RequestsNotOffered is var unsent and > 0 && input.Timeline.Agents.Any(a => a.SaturatedIntervals > 0))
            reasons.Add($"Of the requests that were due, {unsent:N0} were never sent: agents were late, or every connection waited for an answer until the end.");
        foreach (var group in input.Timeline.Failures.Where(f => f.Party == FailureParty.Us).GroupBy(FailureNames.Of))
            reasons.Add($"{group.Sum(f => f.Count):N0} failures were ours: {group.Key}.");
        if (FellBehind(input, result, reasons.Count > 0) is { } behind)
            reasons.Add(behind);
        return new LimitFacts(reasons.Count > 0, reasons.ToImmutable());
    }

    // What was opened was closed in its time and nothing failed: then connections were not opened as fast as they ended.
    private static string? FellBehind(SummaryInput input, ResultFacts result, bool isExplained)
    {
        var least = input.ChurnPerSecond * BehindFrom;
        return isExplained || least <= 0 || result.Reached || input.Timeline.Totals.Failed > 0 || result.Opened == 0 || result.OpenRatePeak >= least
            ? null
            : $"The agents opened {result.OpenRatePeak:N0}/s at most, and {input.Goal:N0} connections that live as long as was asked ask for "
                + $"{input.ChurnPerSecond:N0}/s: no connect failed, so it was they who did not keep up. Give more agents or cores, a longer "
                + "--lifetime, or a lower goal.";
    }

    private static string Stopped(string agent, GrowthStop why, TimeSpan at, long established)
    {
        var begin = $"Agent {agent} stopped growing at {established:N0} connections after {at.TotalSeconds:N0} s, ";
        return begin + why switch
        {
            GrowthStop.Memory => "before the host's memory ran out: free memory was down to the reserve. Give the host more memory, or spread the "
                + "connections over more hosts.",
            GrowthStop.TcpMemory => "before the kernel's TCP memory ran out (sockstat `mem` neared the high mark of net.ipv4.tcp_mem). Raise "
                + "net.ipv4.tcp_mem, or have the target send less that stays unread.",
            _ => $"for a reason that this coordinator does not know ({(int)why}).",
        };
    }
}
