using System.Collections.Immutable;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Cli;

/// <summary>Values of `--listen`.</summary>
internal static class ListenText
{
    private const int MostEndpoints = 65_535;

    /// <summary>Parses `ADDRESS:PORTS`, several times.</summary>
    /// <param name="texts">As `127.0.0.1:9000-9009` or `[::1]:80,443`.</param>
    /// <param name="errors">Gets a message for each that is wrong.</param>
    /// <returns>Each endpoint once, in the order written.</returns>
    public static ImmutableArray<(IpAddress Address, int Port)> Parse(IEnumerable<string> texts, List<string> errors)
    {
        var endpoints = new List<(IpAddress Address, int Port)>();
        foreach (var text in texts)
        {
            if (!EndpointText.TrySplit(text, out var addressText, out var portsText) || portsText is null)
                errors.Add($"--listen {text}: ADDRESS:PORTS is wanted, as in 127.0.0.1:9000-9009 or [::1]:80,443");
            else if (EndpointText.ParseAddress(addressText) is not { } address)
                errors.Add($"--listen {text}: \"{addressText}\" is not an address: four decimal numbers or an IPv6 address in brackets");
            else if (EndpointText.ParsePorts(portsText) is not { IsEmpty: false } ports)
                errors.Add($"--listen {text}: the ports \"{portsText}\" must be numbers from 1 to 65535, as in 9000 or 9000-9009,9100");
            else
                endpoints.AddRange(ports.SelectMany(p => Enumerable.Range(p.First, p.Count)).Select(p => (address, p)));
        }

        var distinct = endpoints.Distinct().ToImmutableArray();
        if (distinct.Length > MostEndpoints)
            errors.Add($"--listen: {distinct.Length} endpoints are too many, at most {MostEndpoints} are allowed");
        return distinct;
    }
}
