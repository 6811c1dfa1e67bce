using CsCheck;
using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Tests.Aggregation;

public class IndexSetTests
{
    [Test]
    public void AddAndRemove_AnySequence_EqualsAPlainSet() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 40], Gen.Int[-1, 12]).Array[0, 30].Sample(steps =>
        {
            var (set, plain) = (new IndexSet(), new SortedSet<long>());
            foreach (var (add, from, count) in steps)
            {
                var range = Enumerable.Range(from, Math.Max(0, count)).Select(i => (long)i);
                if (add)
                {
                    set.Add(from, from + count);
                    plain.UnionWith(range);
                }
                else
                {
                    set.Remove(from, from + count);
                    plain.ExceptWith(range);
                }
            }

            var intervals = set.Intervals;
            return set.Count == plain.Count
                && Enumerable.Range(-1, 60).All(i => set.Contains(i) == plain.Contains(i))
                && intervals.All(i => i.From < i.To)
                && intervals.Zip(intervals.Skip(1)).All(pair => pair.First.To < pair.Second.From);
        });
}
