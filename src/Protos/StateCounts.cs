using System.Collections.Immutable;
using System.Runtime.InteropServices;
using LoadHarness.V1;

namespace LoadHarness.Protos;

/// <summary>Sockets per TCP state. Equal when the counts are.</summary>
public sealed class StateCounts : IEquatable<StateCounts>
{
    private const int States = (int)TcpState.NewSynRecv + 1;

    private readonly ImmutableArray<long> _counts;

    private StateCounts(ImmutableArray<long> counts) => _counts = counts;

    /// <summary>No socket.</summary>
    public static StateCounts None { get; } = new([.. new long[States]]);

    /// <summary>Sockets in one state.</summary>
    public long this[TcpState state] => (int)state is >= 0 and < States ? _counts[(int)state] : 0;

    /// <summary>Sockets in all states.</summary>
    public long Total => _counts.Sum();

    /// <summary>The states that occur, with their counts, in the order of their numbers.</summary>
    public IEnumerable<(TcpState State, long Count)> Occurring
    {
        get
        {
            for (var state = 0; state < States; state++)
            {
                if (_counts[state] != 0)
                    yield return ((TcpState)state, _counts[state]);
            }
        }
    }

    /// <summary>Copies counts.</summary>
    /// <param name="counts">Indexed by the number of the state; what is missing at the end is 0, what lies beyond the known states is left out.</param>
    public static StateCounts Of(ReadOnlySpan<long> counts)
    {
        var copy = new long[States];
        counts[..Math.Min(counts.Length, States)].CopyTo(copy);
        return new(ImmutableCollectionsMarshal.AsImmutableArray(copy));
    }

    /// <summary>Of counts by state; a state that comes several times adds up, unknown ones are left out.</summary>
    public static StateCounts Of(IEnumerable<(TcpState State, long Count)> counts)
    {
        var sums = new long[States];
        foreach (var (state, count) in counts)
        {
            if ((int)state is >= 0 and < States)
                sums[(int)state] += count;
        }

        return new(ImmutableCollectionsMarshal.AsImmutableArray(sums));
    }

    /// <summary>State by state.</summary>
    public static StateCounts operator +(StateCounts a, StateCounts b)
    {
        var sums = new long[States];
        for (var state = 0; state < States; state++)
            sums[state] = a._counts[state] + b._counts[state];
        return new(ImmutableCollectionsMarshal.AsImmutableArray(sums));
    }

    /// <inheritdoc/>
    public bool Equals(StateCounts? other) => other is not null && _counts.AsSpan().SequenceEqual(other._counts.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as StateCounts);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var count in _counts)
            hash.Add(count);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", Occurring.Select(s => $"{s.State} {s.Count}"));
}
