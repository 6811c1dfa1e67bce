namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Total over the samples of one agent, so that the same samples give the same timeline in whatever order they arrive.</summary>
public readonly record struct SampleOrder(TimeSpan To, string Incarnation, ulong Sequence) : IComparable<SampleOrder>
{
    /// <summary>Of a sample.</summary>
    public static SampleOrder Of(AgentSample sample) => new(sample.To, sample.Incarnation, sample.Sequence);

    /// <inheritdoc/>
    public int CompareTo(SampleOrder other)
    {
        var byTime = To.CompareTo(other.To);
        if (byTime != 0)
            return byTime;
        var byLife = string.CompareOrdinal(Incarnation, other.Incarnation);
        return byLife != 0 ? byLife : Sequence.CompareTo(other.Sequence);
    }
}
