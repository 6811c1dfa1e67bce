using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>
/// eventfd(2): wakes another thread without touching the managed runtime. Made before a reactor starts, so that both
/// descriptor tables hold it under the same number.
/// </summary>
public sealed unsafe partial class EventFd : IDisposable
{
    private const int Semaphore = 1;
    private const int NonBlock = 0x800;
    private const int CloseOnExec = 0x80000;
    private const short PollIn = 1;
    private bool _disposed;

    /// <summary>Creates one with a count of zero.</summary>
    /// <exception cref="InvalidOperationException">The descriptor table is full.</exception>
    public EventFd()
        : this(0, 0)
    {
    }

    private EventFd(int initial, int flags)
    {
        var created = SysResult.Of(eventfd((uint)initial, NonBlock | CloseOnExec | flags));
        if (!created.Ok)
            throw new InvalidOperationException($"eventfd: errno {created.Errno}; raise RLIMIT_NOFILE (ulimit -n)");
        Descriptor = (int)created.Value;
    }

    /// <summary>One with a count that is taken one by one (EFD_SEMAPHORE).</summary>
    /// <exception cref="InvalidOperationException">The descriptor table is full.</exception>
    public static EventFd Counting(int initial) => new(initial, Semaphore);

    /// <summary>Its number.</summary>
    public int Descriptor { get; }

    /// <summary>Wakes the reader.</summary>
    public void Signal()
    {
        ulong one = 1;
        _ = write(Descriptor, &one, sizeof(ulong));
    }

    /// <summary>Takes all signals that have come in; does not wait.</summary>
    public void Clear()
    {
        ulong count;
        _ = read(Descriptor, &count, sizeof(ulong));
    }

    /// <summary>Takes one of a count; does not wait.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryTake()
    {
        ulong count;
        return read(Descriptor, &count, sizeof(ulong)) == sizeof(ulong);
    }

    /// <summary>Waits for a signal and takes it.</summary>
    /// <returns>False when the time ran out.</returns>
    public bool Wait(TimeSpan timeout)
    {
        var entry = new PollFd { Descriptor = Descriptor, Events = PollIn };
        if (poll(&entry, 1, (int)Math.Ceiling(timeout.TotalMilliseconds)) <= 0)
            return false;
        Clear();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Sockets.Close(Descriptor);
    }

    private struct PollFd
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc")]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc")]
    private static partial nint write(int fd, void* buffer, nint length);

    [LibraryImport("libc")]
    private static partial nint read(int fd, void* buffer, nint length);

    [LibraryImport("libc")]
    private static partial int poll(PollFd* entries, nuint count, int timeout);
}
