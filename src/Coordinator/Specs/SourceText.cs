using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>
/// Sources as people write them: an address, <c>A-B</c>, a CIDR, <c>dev:INTERFACE</c>, or <c>auto</c>; several are separated by commas.
/// </summary>
public static class SourceText
{
    /// <summary>Most addresses of one range: a /8 of IPv4.</summary>
    public const long MostAddresses = 1L << 24;

    /// <summary>The word for every usable address of the host that routes to the target.</summary>
    public const string Auto = "auto";

    private const string DeviceMark = "dev:";
    private const string Allowed = "an address, a range 10.0.1.1-10.0.1.14, a CIDR 10.0.1.0/28, an interface dev:eth0, or auto";
    private const int LongestList = 1_000_000;

    /// <summary>Reads sources. A CIDR means the addresses that hosts can have: see <see cref="CidrPrefix.Usable"/>.</summary>
    public static Parsed<ImmutableArray<SourceSpec>> ParseList(string text)
    {
        if (text.Length > LongestList)
            return new ParseProblem("is too long a list of sources", Allowed, "Write neighbours as a range: 10.0.1.1-10.0.1.14");
        var sources = ImmutableArray.CreateBuilder<SourceSpec>();
        foreach (var part in text.Split(','))
        {
            var source = Parse(part);
            if (source.Problem is { } problem)
                return problem;
            sources.Add(source.Value);
        }

        return sources.ToImmutable();
    }

    /// <summary>Reads one source.</summary>
    public static Parsed<SourceSpec> Parse(string text)
    {
        text = text.Trim();
        if (text.Length == 0)
            return Wrong("is empty");
        if (text.Equals(Auto, StringComparison.OrdinalIgnoreCase))
            return new SourceSpec(Auto, null);
        if (text.StartsWith(DeviceMark, StringComparison.OrdinalIgnoreCase))
            return ParseDevice(text);
        var range = text.Contains('/', StringComparison.Ordinal) ? ParseCidr(text)
            : text.Contains('-', StringComparison.Ordinal) ? ParseRange(text)
            : ParseSingle(text);
        if (range.Problem is { } problem)
            return problem;
        foreach (var end in new[] { range.Value.First, range.Value.Last })
        {
            if (AddressText.WhyUnusable(end) is { } reason)
                return Wrong($"names {end}, which {reason}", "Give addresses that this host has: see 'ip address'");
        }

        return new SourceSpec(text, range.Value);
    }

    private static Parsed<SourceSpec> ParseDevice(string text)
    {
        var device = text[DeviceMark.Length..].Trim();
        return ProvisionText.WhyNoDevice(device) is { } reason
            ? Wrong($"has a device '{device}' that {reason}", "Name an interface: see 'ip link' on the agents' hosts")
            : new SourceSpec(text, null) { Device = device };
    }

    private static Parsed<IpRange> ParseSingle(string text) =>
        AddressText.TryParse(text, out var address) ? new IpRange(address, 1) : Wrong($"has '{text}', which is not an address");

    private static Parsed<IpRange> ParseRange(string text)
    {
        var dash = text.IndexOf('-');
        var (firstText, lastText) = (text[..dash].Trim(), text[(dash + 1)..].Trim());
        if (!AddressText.TryParse(firstText, out var first))
            return Wrong($"has '{firstText}', which is not an address");
        if (!AddressText.TryParse(lastText, out var last))
            return Wrong($"has '{lastText}', which is not an address");
        if (first.IsV6 != last.IsV6)
            return Wrong("runs from one address family into the other");
        if (last.CompareTo(first) < 0)
            return Wrong("runs backwards", $"Write {last}-{first}");
        var distance = last.Value - first.Value;
        return distance < (UInt128)MostAddresses ? new IpRange(first, (long)distance + 1) : TooMany();
    }

    private static Parsed<IpRange> ParseCidr(string text)
    {
        var prefix = CidrText.Parse(text, MostAddresses);
        return prefix.Problem is { } problem ? problem with { Allowed = Allowed } : prefix.Value.Usable;
    }

    private static ParseProblem TooMany() => new(
        $"names more than {MostAddresses:N0} addresses", Allowed, "Give at most a /8 (IPv6: /104) at a time");

    private static ParseProblem Wrong(string problem, string remedy = "Write 10.0.1.1, 10.0.1.1-10.0.1.14, 10.0.1.0/28, dev:eth0 or auto") =>
        new(problem, Allowed, remedy);
}
