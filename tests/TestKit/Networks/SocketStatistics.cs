using System.Globalization;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.TestKit.Networks;

/// <summary>What <c>ss</c> and /proc say about the sockets of a namespace: the view that the product is held against.</summary>
/// <param name="space">The namespace; null is that of the tests.</param>
public sealed class SocketStatistics(NetworkNamespace? space)
{
    /// <summary>Client ends in ESTABLISHED to a range of ports.</summary>
    public int Established(int firstPort, int lastPort) => Count("established", firstPort, lastPort);

    /// <summary>Client ends in a state (as <c>ss</c> spells it) to a range of ports.</summary>
    public int Count(string state, int firstPort, int lastPort) => Lines(state, string.Create(
        CultureInfo.InvariantCulture, $"( dport >= :{firstPort} and dport <= :{lastPort} )")).Length;

    /// <summary>The lines of <c>ss -Htn state STATE FILTER</c>.</summary>
    public string[] Lines(string state, string filter) =>
        Run("ss", filter.Length == 0 ? ["-Htn", "state", state] : ["-Htn", "state", state, filter]).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>TCP counts of /proc/net/sockstat: inuse, orphan, tw, alloc, mem (in pages).</summary>
    public IReadOnlyDictionary<string, long> Tcp()
    {
        var words = Run("cat", "/proc/thread-self/net/sockstat").Split('\n').First(l => l.StartsWith("TCP:", StringComparison.Ordinal)).Split(' ');
        return Enumerable.Range(0, (words.Length - 1) / 2).ToDictionary(
            i => words[(2 * i) + 1], i => long.Parse(words[(2 * i) + 2], CultureInfo.InvariantCulture));
    }

    /// <summary>A TCP count of /proc/net/snmp since the namespace was made: <c>EstabResets</c>.</summary>
    public long TcpCounter(string name)
    {
        var lines = Run("cat", "/proc/thread-self/net/snmp").Split('\n')
            .Where(l => l.StartsWith("Tcp:", StringComparison.Ordinal)).Select(l => l.Split(' ')).ToArray();
        return long.Parse(lines[1][Array.IndexOf(lines[0], name)], CultureInfo.InvariantCulture);
    }

    private string Run(string program, params string[] arguments) =>
        space is null ? Command.Run(program, arguments) : space.Exec(program, arguments);
}
