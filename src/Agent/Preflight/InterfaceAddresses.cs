using System.Collections.Immutable;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Preflight;

/// <summary>The addresses that connections can be made from.</summary>
internal static class InterfaceAddresses
{
    /// <summary>
    /// Of all interfaces that are up. Link-local IPv6 addresses are left out: without a zone nothing can be bound to them.
    /// </summary>
    public static ImmutableArray<HostAddress> Read()
    {
        try
        {
            return
            [
                .. NetworkInterface.GetAllNetworkInterfaces()
                    .Where(i => i.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
                    .SelectMany(i => i.GetIPProperties().UnicastAddresses
                        .Where(a => a.Address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
                        .Where(a => !a.Address.IsIPv6LinkLocal)
                        .Select(a => new HostAddress(IpAddress.From(a.Address), a.PrefixLength, i.Name))),
            ];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }
}
