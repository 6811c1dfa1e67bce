using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// The connections of one reactor as structures of arrays, indexed by descriptor: the kernel gives out the lowest free
/// number, so the arrays fill from the front. 28 bytes a connection, reserved for the whole descriptor limit and paid
/// for as they are touched. Used by one thread.
/// </summary>
public sealed unsafe class ConnectionTable : IDisposable
{
    private readonly ConnectionState* _states;
    private readonly ConnectionMarks* _marks;
    private readonly ushort* _destinations;
    private readonly int* _units;
    private readonly uint* _generations;
    private readonly uint* _startedMicros;
    private bool _disposed;

    /// <summary>Reserves room for descriptors 0 to <paramref name="capacity"/>-1.</summary>
    public ConnectionTable(int capacity)
    {
        Capacity = capacity;
        _states = Memory.Reserve<ConnectionState>(capacity);
        _marks = Memory.Reserve<ConnectionMarks>(capacity);
        _destinations = Memory.Reserve<ushort>(capacity);
        _units = Memory.Reserve<int>(capacity);
        _generations = Memory.Reserve<uint>(capacity);
        _startedMicros = Memory.Reserve<uint>(capacity);
        Links = new SlotLinks(capacity);
    }

    /// <summary>One more than the highest descriptor that fits.</summary>
    public int Capacity { get; }

    /// <summary>State of the slot.</summary>
    public ref ConnectionState State(int slot) => ref _states[slot];

    /// <summary>Marks of the slot.</summary>
    public ref ConnectionMarks Marks(int slot) => ref _marks[slot];

    /// <summary>Index of the destination.</summary>
    public ref ushort Destination(int slot) => ref _destinations[slot];

    /// <summary>Index of the source and port (see <see cref="EndpointCursor"/>).</summary>
    public ref int Unit(int slot) => ref _units[slot];

    /// <summary>When connect() was called, in microseconds, modulo 2^32; until the slot is ESTABLISHED.</summary>
    public ref uint StartedMicros(int slot) => ref _startedMicros[slot];

    /// <summary>
    /// When it became ESTABLISHED, in milliseconds, modulo 2^32 (49 days). How long the connect took is recorded by then: both share one field.
    /// </summary>
    public ref uint EstablishedMillis(int slot) => ref _startedMicros[slot];

    /// <summary>Of the reactor's lists: deadlines of its own, and the held connections.</summary>
    internal SlotLinks Links { get; }

    /// <summary>Takes a slot into use.</summary>
    /// <returns>What to register with epoll: the slot with its generation, so that an event of an earlier use is told apart.</returns>
    public ulong Open(int slot, ConnectionState state)
    {
        _states[slot] = state;
        _marks[slot] = ConnectionMarks.None;
        Links.Unlink(slot);
        return Handle(slot);
    }

    /// <summary>The slot with the generation of its present use.</summary>
    public ulong Handle(int slot) => ((ulong)_generations[slot] << 32) | (uint)slot;

    /// <summary>Ends the use of a slot; events of this use that are still in hand no longer resolve.</summary>
    public void Release(int slot)
    {
        _states[slot] = ConnectionState.Free;
        _generations[slot]++;
    }

    /// <summary>The slot that an event belongs to, or -1 when that use has ended.</summary>
    public int Resolve(ulong data)
    {
        var slot = (int)(uint)data;
        return (uint)slot < (uint)Capacity && _generations[slot] == (uint)(data >> 32) && _states[slot] != ConnectionState.Free ? slot : -1;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Memory.Release(_states, Capacity);
        Memory.Release(_marks, Capacity);
        Memory.Release(_destinations, Capacity);
        Memory.Release(_units, Capacity);
        Memory.Release(_generations, Capacity);
        Memory.Release(_startedMicros, Capacity);
        Links.Dispose();
    }
}
