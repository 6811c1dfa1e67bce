using System.Net;
using System.Net.Sockets;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Host names of targets.</summary>
internal static class HostNames
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The addresses of a name; none when it has none or nobody answers in time.</summary>
    public static IReadOnlyList<IpAddress> Resolve(string host)
    {
        try
        {
            using var timeout = new CancellationTokenSource(Patience);
            var addresses = Dns.GetHostAddressesAsync(host, timeout.Token).GetAwaiter().GetResult();
            return [.. addresses.Select(IpAddress.From)];
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ArgumentException)
        {
            return [];
        }
    }
}
