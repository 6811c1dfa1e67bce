using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Safety;

/// <summary>
/// Where this agent may connect to; nobody but its own command line can widen it. Addresses are judged by what they really
/// reach: IPv4-mapped and NAT64 forms as the IPv4 address inside. Unspecified, link-local, multicast and broadcast addresses
/// are allowed only by an entry that lies inside such a range, never by a wider one.
/// </summary>
public sealed class AllowList
{
    private const int MostFlags = 4;

    private readonly ImmutableArray<AllowListEntry> _entries;

    private AllowList(ImmutableArray<AllowListEntry> entries) => _entries = entries;

    /// <summary>The default: this host's loopback addresses, every port.</summary>
    public static AllowList Loopback { get; } = Parse(["127.0.0.0/8", "::1"]);

    /// <summary>Its entries, as they were written.</summary>
    public IEnumerable<string> Texts => _entries.Select(e => e.Text);

    /// <summary>Parses entries as in `--allow`; none means <see cref="Loopback"/>.</summary>
    /// <param name="entries">`CIDR[:PORTS]` each.</param>
    /// <param name="allowList">Null when there are errors.</param>
    /// <param name="errors">One message per wrong entry.</param>
    public static bool TryParse(
        IEnumerable<string> entries, [NotNullWhen(true)] out AllowList? allowList, out ImmutableArray<string> errors)
    {
        var parsed = ImmutableArray.CreateBuilder<AllowListEntry>();
        var wrong = ImmutableArray.CreateBuilder<string>();
        foreach (var text in entries)
        {
            if (AllowListEntry.Parse(text, out var error) is { } entry)
                parsed.Add(entry);
            else
                wrong.Add(error);
        }

        errors = wrong.DrainToImmutable();
        allowList = errors.Length > 0 ? null : parsed.Count == 0 ? Loopback : new(parsed.DrainToImmutable());
        return allowList is not null;
    }

    /// <summary>Whether this agent may connect to an address and port.</summary>
    /// <param name="address">As it will be given to connect().</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="rule">The entry that allows it; or why none does, with the flag that would.</param>
    public bool Allows(IpAddress address, int port, out string rule) =>
        Allows(new Destination(new(address, 1), new(port, port), ""), out rule);

    /// <summary>Whether this agent may connect to every address and port of a destination.</summary>
    /// <param name="destination">Addresses with ports.</param>
    /// <param name="rule">
    /// The entry that allows its first address; or which part is not allowed, with the flag that would allow it all.
    /// </param>
    public bool Allows(Destination destination, out string rule)
    {
        rule = "";
        foreach (var part in Parts(destination.Addresses))
        {
            var entries = EntriesFor(part);
            if (FirstUncovered(entries, destination.Ports) is { } port)
            {
                rule = Refusal(destination, part, port);
                return false;
            }

            rule = rule.Length > 0 ? rule : entries[0].Text;
        }

        return true;
    }

    /// <summary>The same rules, for the look before each connect().</summary>
    public AllowTable ToTable() => new(Spans(v6: false).Concat(Spans(v6: true)));

    /// <inheritdoc/>
    public override string ToString() => string.Join(' ', _entries);

    private static AllowList Parse(IEnumerable<string> entries) =>
        TryParse(entries, out var list, out var errors) ? list : throw new ArgumentException(string.Join("; ", errors), nameof(entries));

    private IEnumerable<AllowTable.Span> Spans(bool v6)
    {
        var top = v6 ? UInt128.MaxValue : uint.MaxValue;
        var cuts = new SortedSet<UInt128>();
        var prefixes = _entries.Select(e => e.Prefix).Concat(AddressForms.Special.Select(s => s.Prefix));
        foreach (var prefix in prefixes.Where(p => p.Address.IsV6 == v6))
            cuts.UnionWith(prefix.Last == top ? [prefix.Address.Value] : [prefix.Address.Value, prefix.Last + 1]);
        foreach (var (first, next) in cuts.Zip(cuts.Skip(1).Cast<UInt128?>().Append(null)))
        {
            var entries = EntriesFor(new(v6, first));
            if (entries.Count > 0)
                yield return new(new(v6, first), next - 1 ?? top, [.. entries.SelectMany(e => e.Ports)]);
        }
    }

    /// <summary>The first address of each part of a range in which all addresses are judged alike.</summary>
    private IEnumerable<IpAddress> Parts(IpRange range)
    {
        var cuts = new SortedSet<UInt128> { range.First.Value };
        var special = AddressForms.Special.Select(s => s.Prefix).Append(AddressForms.LoopbackV4);
        foreach (var prefix in _entries.Select(e => e.Prefix).Concat(special))
            AddCuts(cuts, range.First.IsV6, prefix);
        return cuts.Where(c => c >= range.First.Value && c <= range.Last.Value).Select(c => range.First with { Value = c });
    }

    /// <summary>An IPv4 prefix cuts the line of IPv6 addresses too: in each form that embeds it.</summary>
    private static void AddCuts(SortedSet<UInt128> cuts, bool v6, AddressPrefix prefix)
    {
        IReadOnlyList<UInt128> offsets = prefix.Address.IsV6 == v6 ? [0] : v6 ? AddressForms.Forms : [];
        foreach (var offset in offsets)
        {
            cuts.Add(offset + prefix.Address.Value);
            cuts.Add(offset + prefix.Last + 1);
        }
    }

    private List<AllowListEntry> EntriesFor(IpAddress address)
    {
        var reached = AddressForms.Unwrap(address, out var isTranslated);
        if (isTranslated && AddressForms.LoopbackV4.Contains(reached))
            return [];
        var special = SpecialRange(reached);
        return [.. _entries.Where(e => e.Prefix.Contains(reached) && (special is null || special.Value.Prefix.Contains(e.Prefix)))];
    }

    private static (AddressPrefix Prefix, string Kind)? SpecialRange(IpAddress address)
    {
        foreach (var special in AddressForms.Special)
        {
            if (special.Prefix.Contains(address))
                return special;
        }

        return null;
    }

    private static int? FirstUncovered(List<AllowListEntry> entries, PortSpan ports)
    {
        var port = ports.First;
        while (port <= ports.Last)
        {
            var reach = entries.SelectMany(e => e.Ports).Where(p => p.Contains(port)).Select(p => p.Last).DefaultIfEmpty(0).Max();
            if (reach == 0)
                return port;
            port = reach + 1;
        }

        return null;
    }

    private string Refusal(Destination destination, IpAddress address, int port)
    {
        var reached = AddressForms.Unwrap(address, out var isTranslated);
        var endpoint = Endpoint(address.ToString(), address.IsV6, new(port, port));
        var through = reached.IsV6 == address.IsV6 ? "" : $" (it reaches {reached})";
        if (isTranslated && AddressForms.LoopbackV4.Contains(reached))
            return $"{endpoint} is the loopback address of a NAT64 translator, which no entry can allow";
        var kind = SpecialRange(reached) is { } special
            ? $"; it is {special.Kind}, so only an entry inside {special.Prefix} can allow it"
            : "";
        var range = destination.Addresses;
        var flags = AddressPrefix.Cover(range.First.IsV6, range.First.Value, range.Last.Value)
            .Take(MostFlags + 1).Select(p => $"--allow {Endpoint(p.ToString(), p.Address.IsV6, destination.Ports)}").ToList();
        var more = flags.Count > MostFlags ? " ... (and the rest of the range)" : "";
        return $"{endpoint}{through} is not on this agent's allow-list ({this}){kind}; "
            + $"to allow it start the agent with {string.Join(' ', flags.Take(MostFlags))}{more}";
    }

    private static string Endpoint(string address, bool v6, PortSpan ports) => v6 ? $"[{address}]:{ports}" : $"{address}:{ports}";
}
