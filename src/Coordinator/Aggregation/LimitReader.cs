using System.Collections.Immutable;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Finds out whether the tool was the limit, so that nobody takes it for the target's.</summary>
internal static class LimitReader
{
    /// <summary>Reads.</summary>
    public static LimitFacts Read(SummaryInput input)
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
            reasons.Add($"{notOffered:N0} connects were due and not started: agents were late, or had no tuple left.");
        foreach (var group in input.Timeline.Failures.Where(f => f.Party == FailureParty.Us).GroupBy(FailureNames.Of))
            reasons.Add($"{group.Sum(f => f.Count):N0} failures were ours: {group.Key}.");
        return new LimitFacts(reasons.Count > 0, reasons.ToImmutable());
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
