using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Which part of a run an agent has.</summary>
/// <param name="Number">0, 1, 2, ... among the run's agents.</param>
/// <param name="Agents">How many there are.</param>
/// <param name="Goal">Connections of all of them.</param>
internal readonly record struct AgentPart(int Number, int Agents, long Goal)
{
    /// <summary>The part that so many connections are, 0 to 1.</summary>
    public double Of(long share) => Goal > 0 ? (double)share / Goal : 0;

    /// <summary>Neighbours out of a range, none of which another agent has as long as there are enough for all.</summary>
    public IpRange Of(IpRange range)
    {
        var each = Math.Max(1, range.Count / Math.Max(1, Agents));
        var first = Number * each % range.Count;
        return new(range.First.Plus(first), Number == Agents - 1 ? range.Count - first : Math.Min(each, range.Count - first));
    }
}
