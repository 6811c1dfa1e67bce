using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>Arithmetic on address ranges.</summary>
internal static class AddressRanges
{
    /// <summary>Orders ranges and joins those that overlap or touch.</summary>
    public static ImmutableArray<IpRange> Merge(IEnumerable<IpRange> ranges)
    {
        var merged = new List<IpRange>();
        foreach (var range in ranges.OrderBy(r => r.First))
        {
            if (merged.Count > 0 && merged[^1].First.IsV6 == range.First.IsV6
                && range.First.Value - merged[^1].First.Value <= (UInt128)merged[^1].Count)
            {
                var offset = (long)(range.First.Value - merged[^1].First.Value);
                merged[^1] = merged[^1] with { Count = Math.Max(merged[^1].Count, offset + range.Count) };
            }
            else
            {
                merged.Add(range);
            }
        }

        return [.. merged];
    }

    /// <summary>Ranges without single addresses.</summary>
    public static ImmutableArray<IpRange> Without(ImmutableArray<IpRange> ranges, IReadOnlyCollection<IpAddress> addresses)
    {
        foreach (var address in addresses)
        {
            ranges =
            [
                .. ranges.SelectMany(r =>
                {
                    if (!r.Contains(address))
                        return [r];
                    var before = (long)(address.Value - r.First.Value);
                    IEnumerable<IpRange> parts = [new(r.First, before), new(address.Plus(1), r.Count - before - 1)];
                    return parts.Where(p => p.Count > 0);
                }),
            ];
        }

        return ranges;
    }

    /// <summary>Whether a range has an address in common with one of those that <see cref="Merge"/> made.</summary>
    public static bool Touches(ImmutableArray<IpRange> merged, IpRange range)
    {
        // Of those that begin before its end the last one reaches furthest.
        var (from, to) = (0, merged.Length);
        while (from < to)
        {
            var middle = (from + to) / 2;
            if (merged[middle].First.CompareTo(range.Last) <= 0)
                from = middle + 1;
            else
                to = middle;
        }

        return from > 0 && Overlap(merged[from - 1], range) is not null;
    }

    /// <summary>What two ranges have in common; null when that is nothing.</summary>
    public static IpRange? Overlap(IpRange a, IpRange b)
    {
        if (a.First.IsV6 != b.First.IsV6)
            return null;
        var first = a.First.CompareTo(b.First) >= 0 ? a.First : b.First;
        var last = a.Last.CompareTo(b.Last) <= 0 ? a.Last : b.Last;
        return first.CompareTo(last) <= 0 ? new IpRange(first, (long)(last.Value - first.Value) + 1) : null;
    }

    /// <summary>What is left of ranges without another one.</summary>
    public static IEnumerable<IpRange> Without(IEnumerable<IpRange> ranges, IpRange taken)
    {
        foreach (var range in ranges)
        {
            if (Overlap(range, taken) is not { } common)
            {
                yield return range;
                continue;
            }

            if (common.First != range.First)
                yield return range with { Count = (long)(common.First.Value - range.First.Value) };
            if (common.Last != range.Last)
                yield return new(common.Last.Plus(1), (long)(range.Last.Value - common.Last.Value));
        }
    }
}
