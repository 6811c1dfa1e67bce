using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Names one agent of each network namespace to read the kernel for all of them, and another one when it falls silent.</summary>
internal sealed class KernelReaders
{
    /// <summary>The share of one core that reading may take.</summary>
    public const double CoreShare = 0.05;

    private const int SilentIntervals = 3;

    // A reader adapts its interval to its cost; before its first reading, and for quick ones, this much is allowed.
    private static readonly TimeSpan _shortestInterval = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Reader> _readers = new(StringComparer.Ordinal);

    /// <summary>Begins with those that an earlier life of the coordinator had named: they go on reading, unless they fall silent.</summary>
    /// <param name="named">One of each network namespace.</param>
    /// <param name="elapsed">Now.</param>
    public void Restore(IEnumerable<RunMember> named, TimeSpan elapsed)
    {
        lock (_lock)
        {
            foreach (var member in named)
                _readers.TryAdd(NamespaceOf(member), new(member.Agent.Id, elapsed, _shortestInterval));
        }
    }

    /// <summary>Takes note of a sample that carries a reading.</summary>
    /// <param name="sample">Any sample of the run.</param>
    /// <param name="elapsed">Now.</param>
    public void Heard(AgentSample sample, TimeSpan elapsed)
    {
        if (sample.Kernel is not { NamespaceOnly: false } reading)
            return;
        lock (_lock)
        {
            if (_readers.TryGetValue(sample.NetworkNamespace, out var reader) && reader.AgentId == sample.AgentId)
            {
                var interval = reading.Interval > _shortestInterval ? reading.Interval : _shortestInterval;
                _readers[sample.NetworkNamespace] = reader with { HeardAt = elapsed, Interval = interval };
            }
        }
    }

    /// <summary>Chooses readers: those that there are go on, unless they were lost or have been silent for three intervals.</summary>
    /// <returns>Whether another agent was named anywhere: then assignments need a new revision.</returns>
    public bool Choose(IEnumerable<RunMember> members, TimeSpan elapsed)
    {
        var changed = false;
        lock (_lock)
        {
            foreach (var group in members.Where(m => m.Lost is null).GroupBy(NamespaceOf, StringComparer.Ordinal))
            {
                var candidates = group.ToImmutableArray();
                var present = _readers.GetValueOrDefault(group.Key);
                if (present is not null && candidates.Any(m => m.Agent.Id == present.AgentId) && !present.IsSilent(elapsed))
                    continue;
                // The one after the present one, so that a second silent reader is passed over too.
                var next = (candidates.ToList().FindIndex(m => m.Agent.Id == present?.AgentId) + 1) % candidates.Length;
                changed |= candidates[next].Agent.Id != present?.AgentId;
                _readers[group.Key] = new(candidates[next].Agent.Id, elapsed, _shortestInterval);
            }
        }

        return changed;
    }

    /// <summary>What a member is to read: everything that the run owns in its namespace; null when it is no reader.</summary>
    /// <param name="member">Any member.</param>
    /// <param name="members">All members.</param>
    /// <param name="departed">Agents that are gone: what is left of their connections is the run's too.</param>
    public KernelViewDuty? DutyOf(RunMember member, IEnumerable<RunMember> members, IEnumerable<DepartedAgent> departed)
    {
        var id = NamespaceOf(member);
        lock (_lock)
        {
            if (_readers.GetValueOrDefault(id)?.AgentId != member.Agent.Id)
                return null;
        }

        var plans = members.Select(m => m.Plan).OfType<AgentPlan>().Concat(departed.Select(d => d.Plan));
        return new([.. plans.Where(p => p.NetworkNamespace == id).Select(p => p.Slice)], CoreShare);
    }

    private static string NamespaceOf(RunMember member) => member.Agent.Hello.Inventory.NetworkNamespace;

    private sealed record Reader(string AgentId, TimeSpan HeardAt, TimeSpan Interval)
    {
        public bool IsSilent(TimeSpan elapsed) => elapsed - HeardAt > SilentIntervals * Interval;
    }
}
