using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Engine;

/// <summary>One value for each slot, outside the managed heap: reserved for all, zeroed, and paid for as it is touched. Used by one thread.</summary>
internal sealed unsafe class SlotArray<T>(int capacity) : IDisposable
    where T : unmanaged
{
    private T* _values = Memory.Reserve<T>(capacity);

    /// <summary>The value of a slot, 0 to capacity - 1.</summary>
    public ref T this[int slot] => ref _values[slot];

    /// <inheritdoc/>
    public void Dispose()
    {
        Memory.Release(_values, capacity);
        _values = null;
    }
}
