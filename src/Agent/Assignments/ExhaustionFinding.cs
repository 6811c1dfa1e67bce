using LoadHarness.Agent.Preflight;
using LoadHarness.V1;
using static LoadHarness.V1.Finding.Types;

namespace LoadHarness.Agent.Assignments;

/// <summary>Every tuple is live or rests: says so with the arithmetic.</summary>
internal static class ExhaustionFinding
{
    /// <summary>What holds now. In a churn it is the ceiling that tuples, lifetime and rest set, and no error.</summary>
    public static AgentFinding Of(Assignment assignment, SampleBuilder builder)
    {
        var rest = assignment.Slice.Rest;
        var atOnce = rest > TimeSpan.Zero ? ", or reuse tuples at once" : "";
        if (assignment.Churn is { Life: { } life } churn)
            return new(Severity.Info, "endpoint space", DescribeCeiling(life.Mean, churn.Close == CloseMethod.Rst ? TimeSpan.Zero : rest, builder) + $"; for more add sources or target ports{atOnce}");
        return new(Severity.Error, "endpoint space",
            $"every tuple of this agent's {assignment.Slice.BlockCount:N0} blocks is in use: {builder.Held:N0} live, {builder.RestingTuples:N0} resting for "
            + $"{rest.TotalSeconds:0} s after their connection ended; at this rate of closes add sources or target ports{atOnce}");
    }

    // The same words as long as it lasts: it is told once.
    private static string DescribeCeiling(TimeSpan life, TimeSpan rest, SampleBuilder builder)
    {
        var tuples = builder.Held + builder.RestingTuples + builder.FreeTuples;
        var seconds = (life + rest).TotalSeconds;
        return $"this agent's churn is at its ceiling: {tuples:N0} tuples / ({life.TotalSeconds:0.###} s of life + {rest.TotalSeconds:0} s of rest) = "
            + $"{tuples / seconds:N0} connections/s";
    }
}
