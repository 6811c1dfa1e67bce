using System.Collections.Immutable;
using LoadHarness.V1;
using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight;

/// <summary>One thing of this host that was looked at; see inventory.proto.</summary>
/// <param name="Name">Stable: a sysctl, a limit, `memory`, `cores`, `clock`, `kernel` or `conntrack`.</param>
/// <param name="Value">What it is, with its unit; why it is not known when the verdict is UNKNOWN.</param>
/// <param name="Verdict">How it stands against the need.</param>
public sealed record HostCheck(string Name, string Value, Verdict Verdict)
{
    /// <summary>What is needed, and for what.</summary>
    public string Needed { get; init; } = "";

    /// <summary>One line to type; empty when there is nothing to do.</summary>
    public string Remedy { get; init; } = "";

    /// <summary>What the remedy may break or cost.</summary>
    public string Risk { get; init; } = "";

    /// <summary>What `check --fix` would set, value by sysctl.</summary>
    public ImmutableSortedDictionary<string, string> Sysctls { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>The same as a finding; null when nothing is amiss, or not known.</summary>
    public AgentFinding? ToFinding()
    {
        Finding.Types.Severity? severity = Verdict switch
        {
            Verdict.Note => Finding.Types.Severity.Info,
            Verdict.Warning => Finding.Types.Severity.Warning,
            Verdict.Error => Finding.Types.Severity.Error,
            _ => null,
        };
        var words = new[] { $"{Name} is {Value}", Needed, Remedy }.Where(w => w.Length > 0);
        return severity is { } known ? new(known, Name, string.Join("; ", words)) : null;
    }
}
