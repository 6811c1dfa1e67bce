using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Preflight;
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
        if (assignment.Churn is { } churn)
            return new(Severity.Info, "endpoint space", DescribeCeiling(churn, rest, builder) + $"; for more add sources or target ports{atOnce}");
        return new(Severity.Error, "endpoint space",
            $"every tuple of this agent's {assignment.Slice.BlockCount:N0} blocks is in use: {builder.Held:N0} live, {builder.RestingTuples:N0} resting for "
            + $"{rest.TotalSeconds:0} s after their connection ended; at this rate of closes add sources or target ports{atOnce}");
    }

    // The same words as long as it lasts: it is told once.
    private static string DescribeCeiling(ConnectionLife churn, TimeSpan rest, SampleBuilder builder)
    {
        var tuples = builder.Held + builder.RestingTuples + builder.FreeTuples;
        var rests = churn.ByReset ? TimeSpan.Zero : rest;
        var seconds = (churn.Length + rests).TotalSeconds;
        return $"this agent's churn is at its ceiling: {tuples:N0} tuples / ({churn.Length.TotalSeconds:0.###} s of life + {rests.TotalSeconds:0} s of rest) = "
            + $"{tuples / seconds:N0} connections/s";
    }
}
