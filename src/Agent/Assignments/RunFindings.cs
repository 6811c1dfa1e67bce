using System.Collections.Immutable;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using LoadHarness.V1;
using static LoadHarness.V1.Finding.Types;

namespace LoadHarness.Agent.Assignments;

/// <summary>What the user should know about a run as this agent lives it.</summary>
internal static class RunFindings
{
    // Each status carries all of them.
    private const int Most = 100;

    public static ImmutableArray<AgentFinding> Of(Assignment assignment, IRunReactors reactors, SampleBuilder builder, MemoryGuard memory, bool privateTables)
    {
        var findings = ImmutableArray.CreateBuilder<AgentFinding>();
        if (!privateTables)
            findings.Add(new(Severity.Warning, "descriptors", "no descriptor table per reactor (close_range with CLOSE_RANGE_UNSHARE needs kernel 5.9): ulimit -n binds for the whole agent"));
        if (builder.EndpointSpaceExhausted)
            findings.Add(ExhaustionFinding.Of(assignment, builder));
        if (reactors.Fault is { } fault)
            findings.Add(new(Severity.Error, "reactor", $"a reactor has failed and its connections are closed: {fault.Message}"));
        if (builder.NotAllowed > 0)
        {
            findings.Add(new(Severity.Error, "allow-list",
                $"{builder.NotAllowed:N0} connects were not made: their addresses are not on this agent's allow-list, "
                + "though the assignment was found to be within it; please report this"));
        }

        if (assignment.Backend is null && memory.GrowthStop != GrowthStop.None)
            findings.Add(GrowthStopped(memory.GrowthStop, memory.Newest.ReserveBytes));
        findings.AddRange(reactors.GoneSources.Select(Gone));
        if (builder is { DroppedPorts: > 0, DroppedPort: var (source, port) })
            findings.Add(Dropped(builder.DroppedPorts, source, port));
        findings.AddRange(NameCheck.Findings(assignment));
        return Bounded(findings);
    }

    private static ImmutableArray<AgentFinding> Bounded(ImmutableArray<AgentFinding>.Builder findings)
    {
        var more = findings.Count - Most;
        if (more <= 0)
            return findings.DrainToImmutable();
        findings.Count = Most;
        findings.Add(new(Severity.Warning, "findings", $"there are more findings of this kind than {Most}, which are left out here"));
        return findings.DrainToImmutable();
    }

    /// <summary>A storm that this agent heard of when it was over.</summary>
    public static AgentFinding StormMissed(StormOrder storm, TimeSpan now) => new(Severity.Warning, $"storm {storm.Number}",
        $"reconnect storm {storm.Number} of second {storm.At.TotalSeconds:0} was passed over, for this agent heard of it in second {now.TotalSeconds:0} only: "
        + "it was cut off from its coordinator, or came later");

    // Without numbers that change: it is told once.
    private static AgentFinding GrowthStopped(GrowthStop why, long reserve) => new(Severity.Error, "memory",
        why == GrowthStop.Memory
            ? $"nothing more is opened: this host's free memory (MemFree and clean page cache) is down to the reserve of {reserve >> 20:N0} MB that keeps it from "
                + "swapping; it goes on when there is more; lower the goal, or spread it over more hosts"
            : "nothing more is opened: the kernel's TCP memory (sockstat mem) nears the high mark of net.ipv4.tcp_mem; it goes on when there is more; "
                + "raise net.ipv4.tcp_mem, or see why the target leaves data unread");

    private static AgentFinding Gone(IpAddress source) => new(Severity.Error, "source address",
        $"source {source} is gone from this host (EADDRNOTAVAIL at bind): nothing is opened from it any more, and the other sources take over as far as "
        + $"their tuples go; add it again (ip addr add {source}/{(source.IsV6 ? 128 : 32)} dev DEVICE), it is tried every few seconds");

    private static AgentFinding Dropped(long ports, IpAddress source, int port) => new(Severity.Warning, "source ports",
        $"{ports:N0} source ports are not used since sockets of other programs hold them (EADDRINUSE at bind), {source} port {port} among them; "
        + $"see who does: ss -tanp 'sport = :{port}'");
}
