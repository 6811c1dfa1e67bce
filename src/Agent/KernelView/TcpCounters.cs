using System.Globalization;

namespace LoadHarness.Agent.KernelView;

/// <summary>Reads what a network namespace has counted of TCP since it was made: /proc/net/netstat and /proc/net/snmp, some 100 us.</summary>
public static class TcpCounters
{
    /// <summary>Reads the counters of this network namespace; null when the kernel does not give them.</summary>
    public static TcpCounterReading? Read()
    {
        try
        {
            // Not /proc/net: that is the namespace of the process, this the one of the calling thread.
            return Parse(File.ReadAllText("/proc/thread-self/net/netstat"), File.ReadAllText("/proc/thread-self/net/snmp"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Both files hold pairs of lines: names, then values, each behind the name of their group.</summary>
    /// <returns>Null when a counter is missing or no number.</returns>
    public static TcpCounterReading? Parse(string netstat, string snmp)
    {
        var (extended, tcp) = (Group(netstat, "TcpExt:"), Group(snmp, "Tcp:"));
        return extended.TryGetValue("ListenOverflows", out var listenOverflows) && extended.TryGetValue("ListenDrops", out var listenDrops)
            && extended.TryGetValue("TCPTimeWaitOverflow", out var timeWaitOverflow)
            && extended.TryGetValue("TCPAbortOnMemory", out var abortOnMemory)
            && extended.TryGetValue("TCPSynRetrans", out var synRetransmits) && tcp.TryGetValue("RetransSegs", out var retransmitted)
                ? new(listenOverflows, listenDrops, timeWaitOverflow, abortOnMemory, synRetransmits, retransmitted)
                : null;
    }

    private static Dictionary<string, long> Group(string text, string group)
    {
        var lines = text.Split('\n').Where(l => l.StartsWith(group, StringComparison.Ordinal)).Take(2).ToArray();
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        if (lines.Length < 2)
            return values;
        foreach (var (name, value) in Words(lines[0]).Zip(Words(lines[1])))
        {
            if (long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
                values[name] = number;
        }

        return values;
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
