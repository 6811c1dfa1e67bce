using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Aggregation;

public sealed partial class Timeline
{
    /// <summary>What another timeline needs to go on from here, beside the complete seconds.</summary>
    /// <param name="fromSecond">Seconds before this are kept elsewhere.</param>
    public TimelineCheckpoint Checkpoint(int fromSecond) => new()
    {
        CompleteSeconds = CompleteSeconds,
        Open = [.. Enumerable.Range(fromSecond, Math.Max(0, _buckets.Count - fromSecond)).Select(s => Totalled(s, 0))],
        Agents = [.. _agents.Values.Select(a => a.Checkpoint(CompleteSeconds - RecentSeconds))],
        Failures = Failures,
        Histograms = _histograms.ToImmutableDictionary(h => h.Key, h => HistogramLayout.Encode(h.Value)),
        Namespaces = Kernel.Checkpoint(),
    };

    /// <summary>Goes on where another timeline was. Only an empty one can.</summary>
    /// <param name="checkpoint">Of the other one.</param>
    /// <param name="seconds">Its seconds that the checkpoint leaves out; one that is missing is as if nobody had reported it.</param>
    public void Restore(TimelineCheckpoint checkpoint, IEnumerable<SecondTotals> seconds)
    {
        foreach (var second in seconds.Concat(checkpoint.Open))
        {
            while (_buckets.Count <= second.Second)
                _buckets.Add(new Bucket());
            var bucket = _buckets[second.Second];
            (bucket.Gauges, bucket.Counters, bucket.Saturated) = (second.Gauges, second.Counters, second.Saturated);
        }

        CompleteSeconds = checkpoint.CompleteSeconds;
        _changed.Add(CompleteSeconds, _buckets.Count);
        foreach (var agent in checkpoint.Agents)
        {
            var track = Track(agent.Totals.AgentId);
            track.Restore(agent);
            Totals += agent.Totals.Counters;
        }

        foreach (var f in checkpoint.Failures)
            _failures[(f.Stage, f.Party, f.Cause, f.Errno)] = f.Count;
        foreach (var (kind, encoded) in checkpoint.Histograms)
        {
            var histogram = HistogramLayout.Create();
            histogram.Add(HistogramLayout.Decode(encoded));
            _histograms[kind] = histogram;
        }

        Kernel.Restore(checkpoint.Namespaces);
    }

    /// <summary>The same again, to be closed while this one goes on.</summary>
    public Timeline Copy()
    {
        var copy = new Timeline(TimeSpan.FromSeconds(_longest));
        copy.Restore(Checkpoint(0), []);
        return copy;
    }

    /// <summary>The samples of one agent that are in the sums: the newest of each of its process lives.</summary>
    public IEnumerable<(string Incarnation, ulong Sequence)> NewestOf(string agentId) =>
        _agents.GetValueOrDefault(agentId)?.NewestSequences ?? [];
}
