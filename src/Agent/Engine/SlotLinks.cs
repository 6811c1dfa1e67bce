using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// What lists of slots and a timer wheel keep of each slot: its neighbours and its tick. 12 bytes a slot, reserved for all and paid
/// for as they are touched. Used by one thread.
/// </summary>
internal sealed unsafe class SlotLinks : IDisposable
{
    private readonly int _capacity;
    private readonly int* _next;
    private readonly int* _previous;
    private readonly uint* _ticks;
    private bool _disposed;

    /// <summary>Reserves room for slots 0 to <paramref name="capacity"/>-1. Each is to be unlinked before its first use.</summary>
    public SlotLinks(int capacity)
    {
        _capacity = capacity;
        _next = Memory.Reserve<int>(capacity);
        _previous = Memory.Reserve<int>(capacity);
        _ticks = Memory.Reserve<uint>(capacity);
    }

    /// <summary>The slot behind; below 0 when there is none.</summary>
    public ref int Next(int slot) => ref _next[slot];

    /// <summary>The slot ahead; below 0 when there is none.</summary>
    public ref int Previous(int slot) => ref _previous[slot];

    /// <summary>When the slot's deadline is, in ticks of its wheel.</summary>
    public ref uint Tick(int slot) => ref _ticks[slot];

    /// <summary>Takes a slot for one that is in no list, whatever its earlier use has left.</summary>
    public void Unlink(int slot) => _previous[slot] = SlotLists.Unlinked;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Memory.Release(_next, _capacity);
        Memory.Release(_previous, _capacity);
        Memory.Release(_ticks, _capacity);
    }
}
