using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>The agent program's command lines.</summary>
public static class AgentArguments
{
    /// <summary>Joins a local coordinator.</summary>
    /// <param name="paths">Where its socket and credential are.</param>
    /// <param name="id">The agent's identity.</param>
    /// <param name="allow">What it may connect to: the run's own targets.</param>
    public static ImmutableArray<string> Join(RunPaths paths, string id, IEnumerable<Destination> allow) =>
    [
        "join", $"unix:{paths.Socket}",
        "--id", id,
        "--credential-file", paths.Credential,
        .. allow.SelectMany(d => Cidrs(d.Addresses).Select(c => $"{c}:{d.Ports}")).Distinct().SelectMany(a => new[] { "--allow", a }),
        "--exit-with-parent",
    ];

    /// <summary>Serves as the target of a demonstration.</summary>
    /// <param name="address">To listen on.</param>
    /// <param name="ports">To listen on.</param>
    public static ImmutableArray<string> Backend(IpAddress address, PortSpan ports) =>
        ["backend", "--listen", $"{Bracketed(address)}:{ports}", "--exit-with-parent"];

    private static IEnumerable<string> Cidrs(IpRange range) =>
        AddressPrefix.Cover(range.First.IsV6, range.First.Value, range.Last.Value).Select(p => $"{Bracketed(p.Address)}/{p.Length}");

    private static string Bracketed(IpAddress address) => address.IsV6 ? $"[{address}]" : $"{address}";
}
