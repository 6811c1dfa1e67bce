using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Safety;

/// <summary>Where a run may add source addresses to this host; by default nowhere. Nobody but its own command line can widen it.</summary>
public sealed class AllowProvision
{
    private const int LongestDevice = 15; // IFNAMSIZ less its terminating zero

    private readonly ImmutableArray<(AddressPrefix Prefix, string Device)> _entries;

    private AllowProvision(ImmutableArray<(AddressPrefix Prefix, string Device)> entries) => _entries = entries;

    /// <summary>No address may be added.</summary>
    public static AllowProvision Nothing { get; } = new([]);

    /// <summary>Its entries, as `CIDR@DEV`.</summary>
    public IEnumerable<string> Texts => _entries.Select(e => $"{e.Prefix}@{e.Device}");

    /// <summary>Parses entries as in `--allow-provision`; none means <see cref="Nothing"/>.</summary>
    /// <param name="texts">`CIDR@DEV` each.</param>
    /// <param name="allowed">Null when there are errors.</param>
    /// <param name="errors">One message per wrong entry.</param>
    public static bool TryParse(
        IEnumerable<string> texts, [NotNullWhen(true)] out AllowProvision? allowed, out ImmutableArray<string> errors)
    {
        var entries = ImmutableArray.CreateBuilder<(AddressPrefix, string)>();
        var wrong = ImmutableArray.CreateBuilder<string>();
        foreach (var text in texts)
        {
            if (Parse(text, out var entry) is { } error)
                wrong.Add($"--allow-provision {text}: {error}");
            else
                entries.Add(entry);
        }

        errors = wrong.DrainToImmutable();
        allowed = errors.Length > 0 ? null : new(entries.DrainToImmutable());
        return allowed is not null;
    }

    /// <summary>Whether an address may be added to a device.</summary>
    public bool Allows(IpAddress address, string device) => _entries.Any(e => e.Device == device && e.Prefix.Contains(address));

    /// <inheritdoc/>
    public override string ToString() => _entries.IsEmpty ? "none" : string.Join(' ', Texts);

    private static string? Parse(string text, out (AddressPrefix, string) entry)
    {
        entry = default;
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at < 0 || !IsDevice(text[(at + 1)..]))
            return "wants CIDR@DEV, as in 10.0.1.0/24@eth0 or 2001:db8:1::/120@eth0 (ip link shows the devices)";
        var cidr = text[..at];
        var slash = cidr.IndexOf('/', StringComparison.Ordinal);
        var addressText = slash < 0 ? cidr : cidr[..slash];
        if (EndpointText.ParseAddress(addressText) is not { } address)
            return $"\"{addressText}\" is not an address: four decimal numbers or IPv6, no name, no zone";
        var width = address.IsV6 ? 128 : 32;
        var length = width;
        if (slash >= 0 && (!EndpointText.TryParseNumber(cidr[(slash + 1)..], 3, out length) || length < 1 || length > width))
            return $"the prefix length \"{cidr[(slash + 1)..]}\" must be a number from 1 to {width}";
        var prefix = AddressPrefix.Of(address, length);
        if (prefix.Address != address)
            return $"{address} has bits beyond the prefix of {length}: write {prefix}, or {address} alone";
        entry = (prefix, text[(at + 1)..]);
        return null;
    }

    // What the kernel takes for a name (dev_valid_name).
    private static bool IsDevice(string name) =>
        name.Length is > 0 and <= LongestDevice && name is not ("." or "..") && !name.Any(c => c is '/' or ':' or '@' || char.IsWhiteSpace(c) || char.IsControl(c));
}
