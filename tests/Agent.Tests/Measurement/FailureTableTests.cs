using CsCheck;
using LoadHarness.Agent.Measurement;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Measurement;

public sealed class FailureTableTests
{
    private static readonly Gen<(FailureStage Stage, FailureCause Cause, int Errno, long Count)> _failure = Gen.Select(
        Gen.Enum<FailureStage>(), Gen.Enum<FailureCause>(), Gen.Int[0, 3], Gen.Long[1, 1000]);

    [Test]
    public void Add_FewKinds_CountsEachForItself() =>
        _failure.Array[0, 60].Sample(failures =>
        {
            var table = new FailureTable();
            foreach (var (stage, cause, errno, count) in failures)
                table.Add(stage, cause, errno, count);
            var expected = failures.GroupBy(f => (f.Stage, f.Cause, f.Errno)).ToDictionary(g => g.Key, g => g.Sum(f => f.Count));
            return Entries(table).ToDictionary(e => (e.Stage, e.Cause, e.Errno), e => e.Total).OrderBy(e => e.Key).SequenceEqual(expected.OrderBy(e => e.Key));
        });

    [Test]
    public void Add_MoreKindsThanFit_LosesNoCount() =>
        Gen.Select(_failure, Gen.Int[0, 10_000], (f, errno) => f with { Errno = errno }).Array[0, 300].Sample(failures =>
        {
            var table = new FailureTable();
            foreach (var (stage, cause, errno, count) in failures)
                table.Add(stage, cause, errno, count);
            return table.Count <= FailureTable.Capacity && Entries(table).Sum(e => e.Total) == failures.Sum(f => f.Count);
        });

    [Test]
    public void MoveTo_Another_MovesEverything() =>
        Gen.Select(_failure.Array[0, 100], _failure.Array[0, 100]).Sample((first, second) =>
        {
            var (from, to) = (new FailureTable(), new FailureTable());
            foreach (var (stage, cause, errno, count) in first)
                from.Add(stage, cause, errno, count);
            foreach (var (stage, cause, errno, count) in second)
                to.Add(stage, cause, errno, count);
            from.MoveTo(to);
            return from.Count == 0 && Entries(to).Sum(e => e.Total) == first.Concat(second).Sum(f => f.Count);
        });

    [Test]
    public void Add_AfterTheFirst_AllocatesNothing()
    {
        var table = new FailureTable();
        table.Add(FailureStage.Hold, FailureCause.Closed, 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            table.Add(FailureStage.Connect, FailureCause.Other, i);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static IEnumerable<FailureTable.Entry> Entries(FailureTable table) => Enumerable.Range(0, table.Count).Select(i => table[i]);
}
