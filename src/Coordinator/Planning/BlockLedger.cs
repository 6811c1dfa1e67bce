using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Planning;

/// <summary>
/// The blocks that live runs hold, so that two runs never own the same tuple. A plan is made while no other run makes one.
/// Members may be called from any thread.
/// </summary>
public sealed class BlockLedger
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, RunPlan> _plans = new(StringComparer.Ordinal);

    /// <summary>Makes a plan around what other runs hold, and takes its blocks.</summary>
    /// <param name="runId">The run that plans; what it holds itself its present plan says.</param>
    /// <param name="plan">Gets what other runs hold.</param>
    public PlanResult Take(string runId, Func<ImmutableArray<HeldBlocks>, PlanResult> plan)
    {
        lock (_lock)
        {
            var result = plan(HeldWithout(runId));
            if (result.Plan is { } made)
                _plans[runId] = made;
            return result;
        }
    }

    /// <summary>A run has ended: its blocks are free.</summary>
    public void Release(string runId)
    {
        lock (_lock)
            _plans.Remove(runId);
    }

    /// <summary>What live runs hold now; nothing is taken.</summary>
    public ImmutableArray<HeldBlocks> Held()
    {
        lock (_lock)
            return HeldWithout("");
    }

    private ImmutableArray<HeldBlocks> HeldWithout(string runId) =>
        [.. _plans.Where(p => p.Key != runId).SelectMany(p => HeldBy(p.Key, p.Value))];

    private static IEnumerable<HeldBlocks> HeldBy(string runId, RunPlan plan) =>
        from agent in plan.Agents.Concat(plan.Departed.Select(d => d.Plan))
        group agent by agent.NetworkNamespace into agents
        select new HeldBlocks(runId, agents.Key, [.. agents.SelectMany(a => a.Slice.Blocks)]);
}
