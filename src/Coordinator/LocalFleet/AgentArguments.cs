using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>The agent program's command lines.</summary>
public static class AgentArguments
{
    /// <summary>Joins a local coordinator as a client.</summary>
    /// <param name="paths">Where its socket and credential are.</param>
    /// <param name="id">The agent's identity.</param>
    /// <param name="allow">What it may connect to: the run's own targets.</param>
    /// <param name="allowProvision">Where it may add source addresses, <c>CIDR@DEV</c>: what the run itself asks for.</param>
    public static ImmutableArray<string> Join(RunPaths paths, string id, IEnumerable<Destination> allow, IEnumerable<string> allowProvision) =>
    [
        .. Join(paths, id),
        .. allow.SelectMany(d => Cidrs(d.Addresses).Select(c => $"{c}:{d.Ports}")).Distinct().SelectMany(a => new[] { "--allow", a }),
        .. allowProvision.Distinct().SelectMany(a => new[] { "--allow-provision", a }),
        "--exit-with-parent",
    ];

    /// <summary>Joins a local coordinator as a backend, which nobody outside this host can reach.</summary>
    /// <param name="paths">Where its socket and credential are.</param>
    /// <param name="id">The agent's identity.</param>
    /// <param name="addresses">Where it listens: loopback addresses.</param>
    /// <param name="ports">Where it may listen.</param>
    public static ImmutableArray<string> JoinAsBackend(
        RunPaths paths, string id, IEnumerable<IpAddress> addresses, ImmutableArray<PortSpan> ports) =>
    [
        .. Join(paths, id),
        "--role", "backend",
        .. addresses.SelectMany(a => new[] { "--listen-address", $"{a}" }),
        "--allow-listen", string.Join(',', ports),
        "--exit-with-parent",
    ];

    private static ImmutableArray<string> Join(RunPaths paths, string id) =>
        ["join", $"unix:{paths.Socket}", "--id", id, "--credential-file", paths.Credential];

    private static IEnumerable<string> Cidrs(IpRange range) =>
        AddressPrefix.Cover(range.First.IsV6, range.First.Value, range.Last.Value).Select(p => $"{Bracketed(p.Address)}/{p.Length}");

    private static string Bracketed(IpAddress address) => address.IsV6 ? $"[{address}]" : $"{address}";
}
