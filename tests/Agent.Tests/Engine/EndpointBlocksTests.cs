using CsCheck;
using LoadHarness.Agent.Engine;
using LoadHarness.Protos;
using PortSpan = LoadHarness.Protos.PortSpan;

namespace LoadHarness.Agent.Tests.Engine;

/// <summary>Blocks that come, retire, come back and go, and sources that go and come back.</summary>
public sealed class EndpointBlocksTests
{
    private const long Second = 1_000_000_000;
    private const int Blocks = 4;
    private static readonly TimeSpan _rest = TimeSpan.FromSeconds(60);

    private enum Move
    {
        Take,
        Unused,
        End,
        Retire,
        Unretire,
        Gone,
        Back,
        Exclude,
        Drop,
    }

    [Test]
    public void FreeRestingAndTotal_AnyMoves_AreExactAndNothingPausedOrClosedIsGiven() =>
        Gen.Select(Gen.Enum<Move>(), Gen.Int[0, Blocks - 1], Gen.Int[1, 200], Gen.Long[0, 20 * Second]).Array[1, 80].Sample(moves =>
        {
            using var cursor = Cursor();
            var model = new Model();
            var now = 0L;
            foreach (var (move, block, count, pass) in moves)
            {
                now += pass;
                cursor.EndRests(now);
                if (!model.Apply(cursor, move, block, count, now))
                    return false;
                if (cursor.Free != model.Free(cursor) || cursor.Total != model.Open || Enumerable.Range(0, Blocks).Any(b => cursor.IsEmpty(Source(b), 1024) != model.IsEmpty(b)))
                    return false;
            }

            return true;
        });

    [Test]
    public void Retire_ThenUnretire_GivesBackEveryTuple()
    {
        using var cursor = Cursor();
        var before = cursor.Total;
        cursor.Retire(Source(1), 1024, true);
        var others = TakeAll(cursor, 0);
        Assert.That(others.Select(t => cursor.Source(t).Address), Has.None.EqualTo(Source(1)));

        cursor.Retire(Source(1), 1024, false);

        Assert.That(TakeAll(cursor, 0).Concat(others).Distinct().Count(), Is.EqualTo(before));
    }

    [Test]
    public void GiveBack_AnEmptyBlock_IsNeverUsedAgainUnlessItIsAddedAgain()
    {
        using var cursor = Cursor();
        cursor.Retire(Source(0), 1024, true);
        cursor.GiveBack(Source(0), 1024);
        cursor.Retire(Source(0), 1024, false);
        var others = TakeAll(cursor, 0);

        cursor.Add([(Source(0), 1024)]);

        Assert.Multiple(() =>
        {
            Assert.That(others, Has.Count.EqualTo(2 * 256 * (Blocks - 1)));
            Assert.That(TakeAll(cursor, 0).Select(t => cursor.Source(t).Address), Is.All.EqualTo(Source(0)).And.Exactly(512).Items);
        });
    }

    [Test]
    public void IsEmpty_ATupleStillRests_IsFalseUntilItHasRested()
    {
        using var cursor = Cursor();
        var mine = TakeAll(cursor, 0).First(t => cursor.Source(t).Address == Source(2));
        cursor.Retire(Source(2), 1024, true);
        foreach (var tuple in TakeAllOf(cursor, Source(2), mine))
            cursor.ReturnUnused(tuple);
        cursor.ReturnEnded(mine, 0);

        var resting = cursor.IsEmpty(Source(2), 1024);
        cursor.EndRests(61 * Second);

        Assert.That((resting, cursor.IsEmpty(Source(2), 1024)), Is.EqualTo((false, true)));
    }

    private static IEnumerable<EndpointTuple> TakeAllOf(EndpointCursor cursor, IpAddress source, EndpointTuple but)
    {
        for (var unit = 0; unit < Blocks * 256; unit++)
        {
            for (ushort d = 0; d < 2; d++)
            {
                var tuple = new EndpointTuple(unit, d);
                if (tuple != but && cursor.Source(tuple).Address == source)
                    yield return tuple;
            }
        }
    }

    private static IpAddress Source(int block) => new(false, 0x7F_00_01_01u + (UInt128)block);

    private static EndpointCursor Cursor()
    {
        var cursor = new EndpointCursor([(Source(100), 9000), (Source(100), 9001)], [], _rest);
        cursor.Add([.. Enumerable.Range(0, Blocks).Select(b => (Source(b), 1024))]);
        return cursor;
    }

    private static List<EndpointTuple> TakeAll(EndpointCursor cursor, long now)
    {
        var tuples = new List<EndpointTuple>();
        while (cursor.TryTake(now, out var tuple))
            tuples.Add(tuple);
        return tuples;
    }

    /// <summary>What must be true, kept in sets.</summary>
    private sealed class Model
    {
        private readonly List<EndpointTuple> _live = [];
        private readonly List<(EndpointTuple Tuple, long Since)> _resting = [];
        private readonly HashSet<int> _closedUnits = [];
        private readonly HashSet<int> _retiring = [];
        private readonly HashSet<int> _gone = [];

        public long Open => Enumerable.Range(0, Blocks * 256).Count(IsOpen) * 2;

        // The resting of a cursor is coarse: it is asked what rests still.
        public long Free(EndpointCursor cursor)
        {
            while (_resting.Count > cursor.Resting)
                _resting.RemoveAt(0);
            return Open - _live.Count(t => IsOpen(t.Unit)) - _resting.Count(r => IsOpen(r.Tuple.Unit));
        }

        public bool IsEmpty(int block) => !_live.Exists(t => t.Unit % Blocks == block) && !_resting.Exists(r => r.Tuple.Unit % Blocks == block);

        public bool Apply(EndpointCursor cursor, Move move, int block, int count, long now)
        {
            Free(cursor);
            switch (move)
            {
                case Move.Take:
                    for (var i = 0; i < count && cursor.TryTake(now, out var tuple); i++)
                    {
                        if (!IsOpen(tuple.Unit) || _live.Contains(tuple) || _resting.Exists(r => r.Tuple == tuple && now - r.Since < 60 * Second))
                            return false;
                        Free(cursor);
                        _live.Add(tuple);
                    }

                    break;
                case Move.Unused or Move.End:
                    GiveBack(cursor, move == Move.End, Math.Min(count, _live.Count), now);
                    break;
                case Move.Retire or Move.Unretire:
                    cursor.Retire(Source(block), 1024, move == Move.Retire);
                    Set(_retiring, block, move == Move.Retire);
                    break;
                case Move.Gone or Move.Back:
                    cursor.SetGone(Source(block), move == Move.Gone);
                    Set(_gone, block, move == Move.Gone);
                    break;
                case Move.Exclude:
                    cursor.Exclude([new PortSpan(1024 + count, 1024 + count)]);
                    _closedUnits.UnionWith(Enumerable.Range(0, Blocks).Select(b => (count * Blocks) + b));
                    break;
                case Move.Drop when _live.Count > 0:
                    cursor.Drop(_live[0]);
                    _closedUnits.Add(_live[0].Unit);
                    _live.RemoveAt(0);
                    break;
            }

            return true;
        }

        private static void Set(HashSet<int> set, int block, bool on)
        {
            if (on)
                set.Add(block);
            else
                set.Remove(block);
        }

        private void GiveBack(EndpointCursor cursor, bool ended, int count, long now)
        {
            foreach (var tuple in _live.Take(count))
            {
                if (ended)
                    cursor.ReturnEnded(tuple, now);
                else
                    cursor.ReturnUnused(tuple);
                if (ended)
                    _resting.Add((tuple, now));
            }

            _live.RemoveRange(0, count);
        }

        private bool IsOpen(int unit) => !_closedUnits.Contains(unit) && !_retiring.Contains(unit % Blocks) && !_gone.Contains(unit % Blocks);
    }
}
