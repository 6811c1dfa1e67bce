using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>What one agent wants from the pool of its namespace.</summary>
/// <param name="Share">Tuples that its part of the goal takes; less will not do.</param>
/// <param name="Resting">Tuples that may rest beside these.</param>
/// <param name="Reactors">Reactors that the share needs; they claim whole blocks.</param>
/// <param name="Held">Blocks that it has already; they stay with the reactors that claimed them.</param>
/// <param name="Running">Reactors that it runs already.</param>
/// <param name="RunningHold">Connections that those can hold by their descriptors when that is less than its part; else any number.</param>
internal readonly record struct SliceRequest(
    long Share, long Resting, int Reactors, ImmutableArray<BlockRange> Held, int Running, long RunningHold);

/// <summary>Cuts the slices of one namespace out of its pool.</summary>
internal static class SliceCutter
{
    /// <summary>How long the blocks of an agent that is gone rest: TIME-WAIT on Linux (net/tcp.h, TCP_TIMEWAIT_LEN).</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gives each agent blocks for its share, a reserve for tuples that rest as far as the pool has it, at least one block for
    /// each reactor, and whole multiples of the reactors that start when there is enough for everybody.
    /// </summary>
    /// <returns>All blocks of each agent, those that it held included. When the pool is tight the last ones may fall short of their
    /// shares.</returns>
    public static ImmutableArray<ImmutableArray<BlockRange>> Cut(BlockPool pool, ImmutableArray<SliceRequest> requests)
    {
        var missing = requests.Select(r => Math.Max(0, r.Share - Math.Min(TuplesOf(pool, r), r.RunningHold))).ToArray();
        var reserves = requests.Select(r => Reserve(r, TuplesOf(pool, r))).ToArray();
        var perBlock = pool.FreeBlocks == 0 ? 0 : (pool.FreeTuples / pool.FreeBlocks) + 1;
        // Every agent rounds up to whole blocks and to its reactors: that much is lost at worst.
        var rounding = requests.Sum(r => 2L * r.Reactors * perBlock);
        var spare = pool.FreeTuples - missing.Sum();
        var ample = spare >= reserves.Sum() + rounding;
        if (!ample)
            Scale(reserves, Math.Max(0, spare - (requests.Length * perBlock)));

        var starting = requests.Select(r => (long)Math.Max(0, r.Reactors - r.Running)).ToArray();
        var slices = ImmutableArray.CreateBuilder<ImmutableArray<BlockRange>>(requests.Length);
        for (var i = 0; i < requests.Length; i++)
        {
            // A reactor that starts later finds the held blocks claimed: it needs new ones.
            var least = Math.Max(pool.BlocksFor(missing[i] + reserves[i]), starting[i]);
            var blocks = ample ? RoundUp(least, Math.Max(1, starting[i])) : least;
            var leave = starting.Skip(i + 1).Sum();
            slices.Add([.. requests[i].Held, .. pool.Take(Math.Clamp(blocks, 0, Math.Max(0, pool.FreeBlocks - leave)))]);
        }

        return slices.MoveToImmutable();
    }

    private static long TuplesOf(BlockPool pool, SliceRequest request) => pool.TuplesOf(request.Held.Where(b => !b.Retiring));

    private static long Reserve(SliceRequest request, long held) => Math.Max(0, request.Resting - Math.Max(0, held - request.Share));

    private static void Scale(long[] reserves, long spare)
    {
        if (spare >= reserves.Sum())
            return;
        var scaled = Apportionment.Split(spare, reserves, reserves);
        scaled.CopyTo(reserves);
    }

    private static long RoundUp(long blocks, long multiple) => (blocks + multiple - 1) / multiple * multiple;
}
