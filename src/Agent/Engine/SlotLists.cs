namespace LoadHarness.Agent.Engine;

/// <summary>
/// Doubly linked lists through the connection table: every slot is in at most one. All operations cost O(1).
/// The first slot of list n has ~n as its predecessor, so that a slot can leave without naming its list.
/// </summary>
internal sealed class SlotLists
{
    /// <summary>Predecessor of a slot that is in no list.</summary>
    public const int Unlinked = int.MinValue;

    private const int End = -1;
    private readonly ConnectionTable _table;
    private readonly int[] _heads;

    public SlotLists(ConnectionTable table, int lists)
    {
        _table = table;
        _heads = new int[lists];
        Array.Fill(_heads, End);
    }

    /// <summary>The slot that was put in last, or -1 when the list is empty.</summary>
    public int First(int list) => _heads[list];

    /// <summary>The slot after this one in its list, or -1.</summary>
    public int After(int slot) => _table.Next(slot);

    /// <summary>Puts a slot that is in no list at the front of one.</summary>
    public void Push(int list, int slot)
    {
        var head = _heads[list];
        _table.Next(slot) = head;
        _table.Previous(slot) = ~list;
        if (head != End)
            _table.Previous(head) = slot;
        _heads[list] = slot;
    }

    /// <summary>Takes a slot out of its list.</summary>
    /// <returns>False when it was in none.</returns>
    public bool Remove(int slot)
    {
        var previous = _table.Previous(slot);
        if (previous == Unlinked)
            return false;
        var next = _table.Next(slot);
        if (previous < 0)
            _heads[~previous] = next;
        else
            _table.Next(previous) = next;
        if (next != End)
            _table.Previous(next) = previous;
        _table.Previous(slot) = Unlinked;
        return true;
    }
}
