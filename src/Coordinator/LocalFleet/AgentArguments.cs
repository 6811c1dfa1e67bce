using System.Collections.Immutable;
using System.Globalization;
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

    /// <summary>The fewest prefixes that cover a range and nothing else, each as <c>10.0.0.5/32</c> or <c>[fd00::/126]</c>.</summary>
    internal static IEnumerable<string> Cidrs(IpRange range)
    {
        var bits = range.First.IsV6 ? 128 : 32;
        var (address, left) = (range.First, (UInt128)range.Count);
        while (left > 0)
        {
            var aligned = address.Value == 0 ? bits : (int)UInt128.TrailingZeroCount(address.Value);
            var host = Math.Min(Math.Min(aligned, bits), 127 - (int)UInt128.LeadingZeroCount(left));
            var prefix = string.Create(CultureInfo.InvariantCulture, $"{address}/{bits - host}");
            yield return address.IsV6 ? $"[{prefix}]" : prefix;
            var size = UInt128.One << host;
            (address, left) = (address with { Value = address.Value + size }, left - size);
        }
    }

    private static string Bracketed(IpAddress address) => address.IsV6 ? $"[{address}]" : $"{address}";
}
