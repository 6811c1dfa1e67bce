using System.Collections.Immutable;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Safety;

/// <summary>
/// An <see cref="AllowList"/> made ready for the last look before each connect(): disjoint spans of addresses in rising order,
/// searched in some nanoseconds without allocating. Judges the bytes that the kernel is given, by what they really reach.
/// </summary>
public sealed class AllowTable
{
    private readonly Span[] _v4;
    private readonly Span[] _v6;

    internal AllowTable(IEnumerable<Span> spans)
    {
        var all = spans.ToLookup(s => s.First.IsV6);
        (_v4, _v6) = ([.. all[false].OrderBy(s => s.First)], [.. all[true].OrderBy(s => s.First)]);
    }

    /// <summary>Consecutive addresses, both ends included, with the ports that are allowed there.</summary>
    internal readonly record struct Span(IpAddress First, UInt128 Last, ImmutableArray<PortSpan> Ports);

    /// <summary>Whether connect() may be called with this address.</summary>
    public bool Allows(in SocketAddress address)
    {
        var reached = AddressForms.Unwrap(address.Address, out var isTranslated);
        // The loopback of a translator is not ours.
        if (isTranslated && AddressForms.LoopbackV4.Contains(reached))
            return false;
        var spans = reached.IsV6 ? _v6 : _v4;
        var (low, high) = (0, spans.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            ref readonly var span = ref spans[middle];
            if (reached.Value < span.First.Value)
                high = middle - 1;
            else if (reached.Value > span.Last)
                low = middle + 1;
            else
                return Contains(span.Ports.AsSpan(), address.Port);
        }

        return false;
    }

    private static bool Contains(ReadOnlySpan<PortSpan> ports, int port)
    {
        foreach (ref readonly var span in ports)
        {
            if (span.Contains(port))
                return true;
        }

        return false;
    }
}
