using CsCheck;
using LoadHarness.Agent.Engine;

namespace LoadHarness.Agent.Tests.Engine;

public sealed class SlotListsTests
{
    private const int Slots = 20;
    private const int Lists = 4;

    [Test]
    public void PushAndRemove_InAnyOrder_KeepEveryListInOrder() =>
        Gen.Select(Gen.Int[0, Slots - 1], Gen.Int[0, Lists - 1]).Array[0, 200].Sample(moves =>
        {
            using var links = new SlotLinks(Slots);
            for (var slot = 0; slot < Slots; slot++)
                links.Unlink(slot);
            var lists = new SlotLists(links, Lists);
            var model = Enumerable.Range(0, Lists).Select(_ => new LinkedList<int>()).ToArray();
            foreach (var (slot, list) in moves)
            {
                var removed = model.Any(l => l.Remove(slot));
                if (lists.Remove(slot) != removed)
                    return false;
                if (!removed)
                {
                    lists.Push(list, slot);
                    model[list].AddFirst(slot);
                }
            }

            return Enumerable.Range(0, Lists).All(list => Walk(lists, list).SequenceEqual(model[list])
                && lists.Last(list) == (model[list].Last?.Value ?? -1));
        });

    private static IEnumerable<int> Walk(SlotLists lists, int list)
    {
        for (var slot = lists.First(list); slot >= 0; slot = lists.After(slot))
            yield return slot;
    }
}
