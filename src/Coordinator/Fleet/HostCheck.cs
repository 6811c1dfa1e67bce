using System.Collections.Immutable;
using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>One thing of a host that its agent looked at; see inventory.proto.</summary>
/// <param name="Name">Stable: a sysctl, a limit, `memory`, `cores`, `clock`, `kernel` or `conntrack`.</param>
/// <param name="Value">What it is.</param>
/// <param name="Needed">What is needed, and for what.</param>
/// <param name="Verdict">How it stands.</param>
/// <param name="Remedy">One line to type; may be empty.</param>
/// <param name="Risk">What the remedy may break or cost.</param>
/// <param name="Sysctls">What `check --fix` would set there.</param>
public sealed record HostCheck(
    string Name, string Value, string Needed, Verdict Verdict, string Remedy, string Risk, ImmutableSortedDictionary<string, string> Sysctls);
