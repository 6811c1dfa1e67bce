using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Host names of targets. The first answer stays: what an agent may connect to and what it is told to must be the same.</summary>
internal static class HostNames
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);
    private static readonly ConcurrentDictionary<string, IReadOnlyList<IpAddress>> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The addresses of a name; none when it has none or nobody answers in time.</summary>
    public static IReadOnlyList<IpAddress> Resolve(string host)
    {
        if (_known.TryGetValue(host, out var known))
            return known;
        var addresses = Ask(host);
        return addresses.Count == 0 ? addresses : _known.GetOrAdd(host, addresses);
    }

    private static IReadOnlyList<IpAddress> Ask(string host)
    {
        try
        {
            using var timeout = new CancellationTokenSource(_patience);
            var addresses = Dns.GetHostAddressesAsync(host, timeout.Token).GetAwaiter().GetResult();
            return [.. addresses.Select(IpAddress.From)];
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ArgumentException)
        {
            return [];
        }
    }
}
