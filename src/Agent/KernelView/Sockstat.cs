using System.Globalization;

namespace LoadHarness.Agent.KernelView;

/// <summary>
/// The TCP line of /proc/net/sockstat (net/ipv4/proc.c): `TCP: inuse 5 orphan 0 tw 2 alloc 7 mem 1`. Reading takes some 20 us.
/// </summary>
public static class Sockstat
{
    /// <summary>Reads the counts of this network namespace; null when the kernel does not give them.</summary>
    public static SockstatReading? Read()
    {
        try
        {
            // Not /proc/net: that is the namespace of the process, this the one of the calling thread.
            return Parse(File.ReadAllText("/proc/thread-self/net/sockstat"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Finds the TCP line; unknown names are passed over.</summary>
    /// <returns>Null when there is no such line, or a value of it is missing or no number.</returns>
    public static SockstatReading? Parse(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith("TCP:", StringComparison.Ordinal))
                return ParseLine(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        return null;
    }

    private static SockstatReading? ParseLine(string[] words)
    {
        var values = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var i = 1; i + 1 < words.Length; i += 2)
        {
            if (!long.TryParse(words[i + 1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
                return null;
            values[words[i]] = value;
        }

        return values.TryGetValue("inuse", out var inUse) && values.TryGetValue("orphan", out var orphan)
            && values.TryGetValue("tw", out var timeWait) && values.TryGetValue("alloc", out var allocated)
            && values.TryGetValue("mem", out var memory)
                ? new(inUse, orphan, timeWait, allocated, memory)
                : null;
    }
}
