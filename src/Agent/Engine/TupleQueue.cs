using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Engine;

/// <summary>A first-in first-out queue of tuples outside the managed heap; grows by doubling. Used by one thread.</summary>
internal sealed unsafe class TupleQueue : IDisposable
{
    private Entry* _entries;
    private int _capacity = 256;
    private int _head;

    public TupleQueue() => _entries = (Entry*)NativeMemory.Alloc((nuint)_capacity, (nuint)sizeof(Entry));

    public int Count { get; private set; }

    /// <summary>Time stamp of the oldest entry; there must be one.</summary>
    public uint OldestStamp => _entries[_head].Stamp;

    public void Enqueue(EndpointTuple tuple, uint stamp)
    {
        if (Count == _capacity)
            Grow();
        _entries[(_head + Count++) & (_capacity - 1)] = new Entry { Unit = tuple.Unit, Destination = tuple.Destination, Stamp = stamp };
    }

    public EndpointTuple Dequeue()
    {
        var entry = _entries[_head];
        _head = (_head + 1) & (_capacity - 1);
        Count--;
        return new(entry.Unit, entry.Destination);
    }

    public void Dispose()
    {
        NativeMemory.Free(_entries);
        _entries = null;
    }

    private void Grow()
    {
        var grown = (Entry*)NativeMemory.Alloc((nuint)_capacity * 2, (nuint)sizeof(Entry));
        for (var i = 0; i < Count; i++)
            grown[i] = _entries[(_head + i) & (_capacity - 1)];
        NativeMemory.Free(_entries);
        _entries = grown;
        _capacity *= 2;
        _head = 0;
    }

    private struct Entry
    {
        public int Unit;
        public uint Stamp;
        public ushort Destination;
    }
}
