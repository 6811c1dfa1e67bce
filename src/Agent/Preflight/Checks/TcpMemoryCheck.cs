using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>
/// net.ipv4.tcp_mem, in pages: low, pressure, most. An idle connection takes none; one with an unread byte, or whose FIN is not
/// acknowledged yet, takes one. Past the third figure sockets are aborted (TCPAbortOnMemory).
/// </summary>
internal static class TcpMemoryCheck
{
    private const string Purpose = "one page for each connection with unread data or a FIN under way";

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        if (host.Number(Sysctl.TcpMemory) is not { } low || host.Number(Sysctl.TcpMemory, 1) is not { } pressure || host.Number(Sysctl.TcpMemory, 2) is not { } most)
            return Sysctl.Unknown(host, Sysctl.TcpMemory, Purpose);
        var used = host.TcpPages is { } pages ? $", {Amount.Count(pages)} in use" : "";
        var value = $"{Amount.Count(low)}, {Amount.Count(pressure)}, {Amount.Count(most)} pages ({Amount.Bytes((double)most * host.PageBytes)}{used})";
        var wanted = need?.Sockets ?? 0;
        var left = most - Math.Min(most, host.TcpPages ?? 0);
        if (wanted <= left)
            return new(Sysctl.TcpMemory, value, Verdict.Ok) { Needed = wanted > 0 ? $"at worst {Amount.Count(wanted)}: {Purpose}" : Purpose };
        var check = new HostCheck(Sysctl.TcpMemory, value, Verdict.Warning)
        {
            Needed = $"at worst {Amount.Count(wanted)}: {Purpose}; past the last figure connections are aborted, so drains against a slow target must pause",
        };
        return Raised(host, wanted, [low, pressure, most]) is { } raised
            ? (check with { Risk = "socket queues may take so much memory, which other programs then lack" }).SetTo(host, Sysctl.TcpMemory, raised)
            : check with { Remedy = "none on this host: half of its memory is in reach of TCP already; use more hosts, or a slower drain" };
    }

    // Never past half of the memory; the figures in the kernel's own proportions.
    private static string? Raised(HostFacts host, long wanted, long[] now)
    {
        var bound = host.MemoryTotal is { } total ? total / 2 / host.PageBytes : long.MaxValue;
        var most = Math.Min(Sysctl.WithRoom(wanted + Math.Min(host.TcpPages ?? 0, HostNeed.Most)), bound);
        return most > now[2] ? $"{Math.Max(now[0], most / 2)} {Math.Max(now[1], most / 3 * 2)} {most}" : null;
    }
}
