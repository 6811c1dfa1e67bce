namespace LoadHarness.Agent.Engine;

/// <summary>
/// Doubly linked lists of slots: every slot is in at most one of those that share its links. All operations cost O(1).
/// Slots go in at the front, so the last one is the one that has been in longest. The first slot of list n has ~n as its
/// predecessor and the last one has ~n as its successor, so that a slot can leave without naming its list.
/// </summary>
internal sealed class SlotLists
{
    /// <summary>Predecessor of a slot that is in no list.</summary>
    public const int Unlinked = int.MinValue;

    private const int Empty = -1;
    private readonly SlotLinks _links;
    private readonly int[] _heads;
    private readonly int[] _tails;

    public SlotLists(SlotLinks links, int lists)
    {
        _links = links;
        _heads = new int[lists];
        _tails = new int[lists];
        Array.Fill(_heads, Empty);
        Array.Fill(_tails, Empty);
    }

    /// <summary>The slot that was put in last, or -1 when the list is empty.</summary>
    public int First(int list) => _heads[list];

    /// <summary>The slot that was put in first, or -1 when the list is empty.</summary>
    public int Last(int list) => _tails[list];

    /// <summary>The slot after this one in its list; below 0 when there is none.</summary>
    public int After(int slot) => _links.Next(slot);

    /// <summary>Whether a slot is in a list.</summary>
    public bool Contains(int slot) => _links.Previous(slot) != Unlinked;

    /// <summary>Puts a slot that is in no list at the front of one.</summary>
    public void Push(int list, int slot)
    {
        var head = _heads[list];
        _links.Next(slot) = head == Empty ? ~list : head;
        _links.Previous(slot) = ~list;
        if (head == Empty)
            _tails[list] = slot;
        else
            _links.Previous(head) = slot;
        _heads[list] = slot;
    }

    /// <summary>Takes a slot out of its list.</summary>
    /// <returns>False when it was in none.</returns>
    public bool Remove(int slot)
    {
        var previous = _links.Previous(slot);
        if (previous == Unlinked)
            return false;
        var next = _links.Next(slot);
        if (previous >= 0)
            _links.Next(previous) = next;
        else
            _heads[~previous] = next >= 0 ? next : Empty;
        if (next >= 0)
            _links.Previous(next) = previous;
        else
            _tails[~next] = previous >= 0 ? previous : Empty;
        _links.Previous(slot) = Unlinked;
        return true;
    }
}
