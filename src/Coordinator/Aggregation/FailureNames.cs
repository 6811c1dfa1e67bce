using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>The names of failures in reports, stable from the first release: <c>connect/target/refused</c>.</summary>
public static class FailureNames
{
    /// <summary>Stage, party and cause.</summary>
    public static string Of(FailureStage stage, FailureParty party, FailureCause cause) =>
        $"{Kebab(stage.ToString())}/{Kebab(party.ToString())}/{Kebab(cause.ToString())}";

    /// <summary>Stage, party and cause of a tally.</summary>
    public static string Of(FailureTally failure) => Of(failure.Stage, failure.Party, failure.Cause);

    /// <summary>What TLS or HTTP says of a tally, in words; null when it says nothing.</summary>
    public static string? WordsOf(FailureTally failure) => WordsOf(failure.Cause, failure.Errno);

    /// <inheritdoc cref="WordsOf(FailureTally)"/>
    public static string? WordsOf(FailureCause cause, int code) =>
        cause == FailureCause.UnexpectedStatus ? $"status {code}" : FailureCode.Describe(code);

    /// <summary>A number that an older build does not know keeps its number.</summary>
    private static string Kebab(string name) =>
        string.Concat(name.Select((c, i) => (i > 0 && char.IsUpper(c) ? "-" : "") + char.ToLowerInvariant(c)));
}
