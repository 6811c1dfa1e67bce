namespace LoadHarness.Agent.Assignments;

/// <summary>Deals new blocks out to reactors. Pure.</summary>
internal static class BlockDealer
{
    /// <summary>
    /// Gives each block in turn to the reactor that has the fewest tuples, so that reactors without any come first; one that has
    /// more tuples than it can hold connections gets another only when all do.
    /// </summary>
    /// <param name="tuples">Tuples that each reactor has; at least one reactor.</param>
    /// <param name="fresh">Tuples of each new block.</param>
    /// <param name="perReactor">Connections that a reactor can hold.</param>
    /// <returns>For each block the reactor that gets it.</returns>
    public static int[] Deal(IReadOnlyList<long> tuples, IReadOnlyList<long> fresh, long perReactor)
    {
        var owners = new int[fresh.Count];
        var order = new PriorityQueue<int, (bool Full, long Tuples, int Reactor)>();
        var sums = tuples.ToArray();
        for (var i = 0; i < sums.Length; i++)
            order.Enqueue(i, (sums[i] >= perReactor, sums[i], i));
        for (var block = 0; block < owners.Length; block++)
        {
            var owner = order.Dequeue();
            owners[block] = owner;
            sums[owner] += fresh[block];
            order.Enqueue(owner, (sums[owner] >= perReactor, sums[owner], owner));
        }

        return owners;
    }
}
