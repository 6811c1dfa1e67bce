using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Planning;

/// <summary>Whether a reconnect storm finds tuples to open what it has closed.</summary>
internal static class StormTuples
{
    private const int MostNamed = 3;

    /// <summary>Checks every agent's slice.</summary>
    /// <param name="storm">What is asked for.</param>
    /// <param name="rest">How long a tuple rests after our FIN; zero: it is used again at once.</param>
    /// <param name="agents">What each holds now, and how many tuples of its slice could be taken.</param>
    /// <returns>What stands against it, for people; empty when nothing does.</returns>
    public static ImmutableArray<string> Check(StormSpec storm, TimeSpan rest, IReadOnlyCollection<StormShare> agents)
    {
        // A reset leaves nothing that rests, and without a rest a tuple is free again with the peer's FIN.
        if (storm.Close == CloseMethod.Rst || rest == TimeSpan.Zero)
            return [];
        var lacking = agents.Where(a => a.Needed(storm.Fraction) > a.Free).ToList();
        if (lacking.Count == 0)
            return [];
        var named = lacking.Take(MostNamed).Select(a =>
            $"{PercentText.Format(storm.Fraction)} of the {a.Held:N0} connections of agent {a.AgentId} are {a.Needed(storm.Fraction):N0}, and {a.Free:N0} tuples of its slice are free");
        var more = lacking.Count > MostNamed ? $"; and so it is with {lacking.Count - MostNamed:N0} more agents" : "";
        return
        [
            $"A storm by FIN opens its connections from other tuples, for those that it closes rest {DurationText.Format(rest)} (--reuse rest): "
            + $"{string.Join("; ", named)}{more}. Reset them with --close rst, which leaves none that rests, take a smaller --fraction, or start the run with "
            + "more sources or target ports, or with --reuse immediate.",
        ];
    }
}

/// <summary>One agent before a reconnect storm.</summary>
/// <param name="AgentId">Its identity.</param>
/// <param name="Held">Connections.</param>
/// <param name="Free">Tuples of its slice that neither live nor rest.</param>
internal readonly record struct StormShare(string AgentId, long Held, long Free)
{
    /// <summary>Tuples that a storm takes of it.</summary>
    public long Needed(double fraction) => (long)Math.Ceiling(Math.Round(fraction * Held, 6));
}
