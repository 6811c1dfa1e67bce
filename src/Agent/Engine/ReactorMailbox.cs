using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// Commands from plain threads to one reactor: a preallocated ring and an eventfd. Posting takes a lock among the plain
/// threads; the reactor takes none.
/// </summary>
internal sealed class ReactorMailbox : IDisposable
{
    private const int Capacity = 64;
    private readonly ReactorCommand?[] _ring = new ReactorCommand?[Capacity];
    private readonly Lock _posting = new();
    private long _posted;
    private long _taken;
    private bool _closed;

    /// <summary>Readable when there is something to take.</summary>
    public EventFd Bell { get; } = new();

    /// <summary>Posts a command; waits while the ring is full, and drops it when nobody will ever take it.</summary>
    public void Post(ReactorCommand command)
    {
        lock (_posting)
        {
            while (_posted - Volatile.Read(ref _taken) == Capacity)
            {
                if (Volatile.Read(ref _closed))
                    return;
                Thread.Sleep(1);
            }

            _ring[_posted % Capacity] = command;
            Volatile.Write(ref _posted, _posted + 1);
        }

        Bell.Signal();
    }

    /// <summary>Takes the oldest command; for the reactor only.</summary>
    public bool TryTake(out ReactorCommand command)
    {
        if (_taken == Volatile.Read(ref _posted))
        {
            command = null!;
            return false;
        }

        ref var entry = ref _ring[_taken % Capacity];
        command = entry!;
        entry = null;
        Volatile.Write(ref _taken, _taken + 1);
        return true;
    }

    /// <summary>Says that nothing is taken any more; for the reactor only.</summary>
    public void Close() => Volatile.Write(ref _closed, true);

    public void Dispose() => Bell.Dispose();
}
