using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Says why nothing could be opened: what happened, to which endpoint, and what to do about it.</summary>
internal static class FailureWords
{
    private const int TargetsShown = 3;

    // errno(3), numbers of asm-generic/errno.h
    private static readonly ImmutableDictionary<int, string> _errnos = new Dictionary<int, string>
    {
        [1] = "EPERM",
        [12] = "ENOMEM",
        [13] = "EACCES",
        [23] = "ENFILE",
        [24] = "EMFILE",
        [98] = "EADDRINUSE",
        [99] = "EADDRNOTAVAIL",
        [100] = "ENETDOWN",
        [101] = "ENETUNREACH",
        [104] = "ECONNRESET",
        [105] = "ENOBUFS",
        [110] = "ETIMEDOUT",
        [111] = "ECONNREFUSED",
        [112] = "EHOSTDOWN",
        [113] = "EHOSTUNREACH",
    }.ToImmutableDictionary();

    /// <summary>One sentence about a run in which every attempt failed.</summary>
    /// <param name="failures">By kind, most frequent first; at least one.</param>
    /// <param name="spec">Names the endpoints.</param>
    public static string Explain(ImmutableArray<FailureTally> failures, RunSpec spec)
    {
        var targets = string.Join(", ", spec.Targets.Take(TargetsShown).Select(t => t.Text))
            + (spec.Targets.Length > TargetsShown ? $" and {spec.Targets.Length - TargetsShown} more" : "");
        var worst = failures[0];
        var failed = failures.Sum(f => f.Count);
        var errno = FailureNames.WordsOf(worst) is { } words ? $" ({words})" : worst.Errno == 0 ? "" : $" ({_errnos.GetValueOrDefault(worst.Errno) ?? $"errno {worst.Errno}"})";
        var count = worst.Count == failed ? $"{failed:N0} times" : $"{worst.Count:N0} of {failed:N0} times";
        var (meaning, remedy) = FailureRemedies.Of(FailureNames.Of(worst));
        return $"nothing could be opened to {targets}: {count} {meaning}{errno}" + (remedy.Length == 0 ? "" : $"; {remedy}");
    }
}
