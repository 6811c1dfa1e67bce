using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>Source addresses to add to hosts, as people write them: <c>10.0.1.0/24@eth0</c>; several are separated by commas.</summary>
public static class ProvisionText
{
    /// <summary>Most addresses of one prefix: a /16 of IPv4. The kernel keeps each of them, and adding one costs some microseconds.</summary>
    public const long MostAddresses = 1L << 16;

    private const int LongestDevice = 15; // IFNAMSIZ - 1, linux/if.h
    private const int LongestList = 100_000;
    private const string Allowed = "CIDR@DEVICE, as in 10.0.1.0/24@eth0";

    /// <summary>Reads prefixes with their devices.</summary>
    public static Parsed<ImmutableArray<ProvisionSpec>> ParseList(string text)
    {
        if (text.Length > LongestList)
            return Wrong("is too long a list of addresses to add", "Write neighbours as one CIDR");
        var all = ImmutableArray.CreateBuilder<ProvisionSpec>();
        foreach (var part in text.Split(','))
        {
            var one = Parse(part);
            if (one.Problem is { } problem)
                return problem;
            all.Add(one.Value);
        }

        return all.ToImmutable();
    }

    /// <summary>Reads one prefix with its device.</summary>
    public static Parsed<ProvisionSpec> Parse(string text)
    {
        text = text.Trim();
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at < 0)
            return Wrong("does not name the device to add them to", $"Write {(text.Length == 0 ? "10.0.1.0/24" : text)}@eth0");
        var (cidr, device) = (text[..at].Trim(), text[(at + 1)..].Trim());
        if (WhyNoDevice(device) is { } reason)
            return Wrong($"has a device '{device}' that {reason}", "Name an interface: see 'ip link' on the agents' hosts");
        var parsed = CidrText.Parse(cidr, MostAddresses);
        if (parsed.Problem is { } problem)
            return problem with { Allowed = Allowed };
        var prefix = parsed.Value;
        if (prefix.Length == 0)
            return Wrong("has a prefix length of 0", "Give a prefix that is yours to add: 10.0.1.0/24@eth0");
        return prefix.WhyUnusable() is { } unusable
            ? Wrong(unusable, "Give a prefix of unicast addresses")
            : new ProvisionSpec(text, prefix.Usable, prefix.Length, device);
    }

    /// <summary>Why a text names no network interface (dev_valid_name in net/core/dev.c); null when it may name one.</summary>
    internal static string? WhyNoDevice(string device)
    {
        if (device.Length == 0)
            return "is empty";
        if (device.Length > LongestDevice)
            return $"is longer than {LongestDevice} characters";
        return device is "." or ".." || device.Any(c => c is '/' or ':' || char.IsWhiteSpace(c) || char.IsControl(c) || !char.IsAscii(c))
            ? "has characters that no interface name has"
            : null;
    }

    private static ParseProblem Wrong(string problem, string remedy) => new(problem, Allowed, remedy);
}
