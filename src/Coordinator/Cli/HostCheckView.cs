using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Cli;

/// <summary>One thing of a host that its agent looked at.</summary>
/// <param name="Name">A sysctl, a limit, `memory`, ...</param>
/// <param name="Verdict">`OK`, `UNKNOWN`, `NOTE`, `WARNING` or `ERROR`.</param>
/// <param name="Value">What it is.</param>
/// <param name="Needed">What is needed, and for what.</param>
/// <param name="Remedy">One line to type; may be empty.</param>
/// <param name="Risk">What it may break or cost.</param>
/// <param name="Sysctls">What `loadharness-agent check --fix` would set there.</param>
public sealed record HostCheckView(
    string Name, string Verdict, string Value, string Needed, string Remedy, string Risk, ImmutableSortedDictionary<string, string> Sysctls)
{
    private static readonly ImmutableArray<string> _verdicts = ["OK", "UNKNOWN", "NOTE", "WARNING", "ERROR"];

    /// <summary>The higher the worse.</summary>
    public int Rank => _verdicts.IndexOf(Verdict);
}

/// <summary>How the host of one agent stands.</summary>
/// <param name="Id">The agent's identity; empty for this machine, without one.</param>
/// <param name="Host">Its host's name.</param>
/// <param name="Checks">Empty when it did not answer.</param>
/// <param name="Error">Why not; otherwise empty.</param>
public sealed record AgentChecksView(string Id, string Host, ImmutableArray<HostCheckView> Checks, string Error)
{
    /// <summary>The worst of them; null when it did not answer.</summary>
    public HostCheckView? Worst => Checks.MaxBy(c => c.Rank);
}
