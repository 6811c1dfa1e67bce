using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Planning;

/// <summary>
/// Splits a whole number in proportion to weights, exactly: parts sum to the total, each lies within one of its quota, and
/// a greater weight never gets the smaller part (largest remainder; ties go to the lower index).
/// </summary>
public static class Apportionment
{
    /// <summary>Splits without bounds. Weights that are all zero count as equal.</summary>
    /// <param name="total">0 or more.</param>
    /// <param name="weights">At least one; 0 or more each.</param>
    public static ImmutableArray<long> Split(long total, ReadOnlySpan<long> weights)
    {
        Span<long> capacities = new long[weights.Length];
        capacities.Fill(total);
        return Split(total, weights, capacities);
    }

    /// <summary>
    /// Splits with an upper bound for each part: who would get more than it can hold gets just that, and the others share the rest
    /// in proportion. A weight of zero gets something only when the others are full.
    /// </summary>
    /// <param name="total">0 or more, at most the sum of the capacities.</param>
    /// <param name="weights">At least one; 0 or more each.</param>
    /// <param name="capacities">One for each weight; 0 or more.</param>
    /// <exception cref="ArgumentException">The capacities do not hold the total, or an argument is out of range.</exception>
    public static ImmutableArray<long> Split(long total, ReadOnlySpan<long> weights, ReadOnlySpan<long> capacities)
    {
        Check(total, weights, capacities);
        var parts = new long[weights.Length];
        var open = Enumerable.Range(0, weights.Length).ToList();
        var rest = (Int128)total;
        while (rest > 0)
        {
            var sum = Sum(open, weights);
            var even = sum == 0;
            if (even)
                sum = open.Count;
            var full = new List<int>();
            foreach (var i in open)
            {
                if (rest * (even ? 1 : weights[i]) >= capacities[i] * sum)
                    full.Add(i);
            }

            if (full.Count == 0)
            {
                LargestRemainder(parts, open, (long)rest, weights, sum, even);
                break;
            }

            foreach (var i in full)
            {
                parts[i] = capacities[i];
                rest -= capacities[i];
                open.Remove(i);
            }
        }

        return [.. parts];
    }

    private static Int128 Sum(List<int> open, ReadOnlySpan<long> weights)
    {
        Int128 sum = 0;
        foreach (var i in open)
            sum += weights[i];
        return sum;
    }

    private static void LargestRemainder(
        long[] parts, List<int> open, long total, ReadOnlySpan<long> weights, Int128 sum, bool even)
    {
        var remainders = new (Int128 Remainder, int Index)[open.Count];
        var left = total;
        for (var k = 0; k < open.Count; k++)
        {
            var i = open[k];
            var (quota, remainder) = Int128.DivRem((Int128)total * (even ? 1 : weights[i]), sum);
            parts[i] = (long)quota;
            left -= parts[i];
            remainders[k] = (remainder, i);
        }

        Array.Sort(remainders, (a, b) => a.Remainder == b.Remainder ? a.Index.CompareTo(b.Index) : b.Remainder.CompareTo(a.Remainder));
        for (var k = 0; k < left; k++)
            parts[remainders[k].Index]++;
    }

    private static void Check(long total, ReadOnlySpan<long> weights, ReadOnlySpan<long> capacities)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(total);
        if (weights.Length == 0 || weights.Length != capacities.Length)
            throw new ArgumentException("one weight and one capacity for each part, at least one", nameof(weights));
        Int128 held = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] < 0 || capacities[i] < 0)
                throw new ArgumentException($"part {i} has a negative weight or capacity", nameof(weights));
            held += capacities[i];
        }

        if (held < total)
            throw new ArgumentException($"the capacities hold {held}, which is less than {total}", nameof(capacities));
    }
}
