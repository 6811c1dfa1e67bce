using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LoadHarness.TestKit.Networks;

/// <summary>Ports to listen on, for tests without a namespace of their own.</summary>
public static class FreePorts
{
    private const int Lowest = 10_000;

    private static int _next = Lowest + (Environment.ProcessId % 200 * 100);

    /// <summary>A run of ports on which nobody listens on loopback, outside <c>ip_local_port_range</c>: no outgoing connection takes one meanwhile.</summary>
    /// <returns>The first.</returns>
    public static int Range(int count)
    {
        var (low, high) = EphemeralRange();
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var first = Interlocked.Add(ref _next, count) - count;
            if (first + count > IPEndPoint.MaxPort)
            {
                Interlocked.Exchange(ref _next, Lowest);
                continue;
            }

            if ((first + count <= low || first > high) && Enumerable.Range(first, count).All(IsFree))
                return first;
        }

        throw new InvalidOperationException($"found no {count} free ports in a row outside {low}-{high}");
    }

    private static (int Low, int High) EphemeralRange()
    {
        var words = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split(['\t', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return (int.Parse(words[0], CultureInfo.InvariantCulture), int.Parse(words[1], CultureInfo.InvariantCulture));
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
