using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.KernelView;

/// <summary>Destinations without overlaps: disjoint spans of addresses in rising order, each with its own ports.</summary>
public sealed class DestinationSet
{
    private readonly Span[] _v4;
    private readonly Span[] _v6;

    private DestinationSet(Span[] v4, Span[] v6) => (_v4, _v6) = (v4, v6);

    /// <summary>Consecutive addresses, both ends included, with ports: disjoint spans in rising order that do not touch.</summary>
    internal readonly record struct Span(UInt128 First, UInt128 Last, ImmutableArray<PortSpan> Ports);

    /// <summary>Normalises destinations; they may overlap.</summary>
    public static DestinationSet Of(ImmutableArray<Destination> destinations) =>
        new(Normalise(destinations, v6: false), Normalise(destinations, v6: true));

    /// <summary>The spans of one family.</summary>
    internal ReadOnlySpan<Span> Spans(bool v6) => v6 ? _v6 : _v4;

    /// <summary>Pairs of address and port; no more than <see cref="long.MaxValue"/>.</summary>
    public long EndpointCount => Count(span => span.Ports.Sum(p => p.Last - p.First + 1L));

    /// <summary>Addresses; no more than <see cref="long.MaxValue"/>.</summary>
    public long AddressCount => Count(_ => 1);

    /// <summary>Whether this is one of the destinations. No allocation, logarithmic.</summary>
    public bool Contains(IpAddress address, int port) => ContainsPort(PortsOf(address).AsSpan(), port);

    /// <summary>The ports of an address, in rising order without overlaps; none when it is no destination. No allocation.</summary>
    public ImmutableArray<PortSpan> PortsOf(IpAddress address)
    {
        var spans = address.IsV6 ? _v6 : _v4;
        var (low, high) = (0, spans.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            ref readonly var span = ref spans[middle];
            if (address.Value < span.First)
                high = middle - 1;
            else if (address.Value > span.Last)
                low = middle + 1;
            else
                return span.Ports;
        }

        return [];
    }

    /// <summary>Whether one of several spans, in rising order without overlaps, has a port.</summary>
    internal static bool ContainsPort(ReadOnlySpan<PortSpan> ports, int port)
    {
        var (low, high) = (0, ports.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (port < ports[middle].First)
                high = middle - 1;
            else if (port > ports[middle].Last)
                low = middle + 1;
            else
                return true;
        }

        return false;
    }

    private long Count(Func<Span, long> perAddress)
    {
        var sum = Int128.Zero;
        foreach (var span in _v4.Concat(_v6))
            sum += (Int128)UInt128.Min(span.Last - span.First + 1, long.MaxValue) * perAddress(span);
        return (long)Int128.Min(sum, long.MaxValue);
    }

    /// <summary>Cuts the line of addresses wherever a destination begins or ends; between two cuts the ports are the same.</summary>
    private static Span[] Normalise(ImmutableArray<Destination> destinations, bool v6)
    {
        var family = destinations.Where(d => d.Addresses.First.IsV6 == v6).OrderBy(d => d.Addresses.First.Value).ToList();
        var cuts = family.SelectMany(d => new[] { d.Addresses.First.Value, d.Addresses.Last.Value + 1 }).Distinct().Order().ToList();
        var spans = new List<Span>();
        var active = new List<Destination>();
        var next = 0;
        for (var i = 0; i + 1 < cuts.Count; i++)
        {
            var (from, to) = (cuts[i], cuts[i + 1] - 1);
            active.RemoveAll(d => d.Addresses.Last.Value < from);
            for (; next < family.Count && family[next].Addresses.First.Value == from; next++)
                active.Add(family[next]);
            if (active.Count > 0)
                Append(spans, new(from, to, Union(active)));
        }

        return [.. spans];
    }

    private static void Append(List<Span> spans, Span span)
    {
        if (spans.Count > 0 && spans[^1] is var last && last.Last + 1 == span.First && last.Ports.SequenceEqual(span.Ports))
            spans[^1] = last with { Last = span.Last };
        else
            spans.Add(span);
    }

    private static ImmutableArray<PortSpan> Union(List<Destination> destinations)
    {
        var union = new List<PortSpan>();
        foreach (var ports in destinations.Select(d => d.Ports).OrderBy(p => p.First))
        {
            if (union.Count > 0 && ports.First <= union[^1].Last + 1)
                union[^1] = new(union[^1].First, Math.Max(union[^1].Last, ports.Last));
            else
                union.Add(ports);
        }

        return [.. union];
    }
}
