using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>epoll(7).</summary>
public static unsafe partial class Epoll
{
    public const uint In = 0x001;
    public const uint Out = 0x004;
    public const uint Error = 0x008;
    public const uint HangUp = 0x010;
    public const uint ReadHangUp = 0x2000;
    public const uint Exclusive = 0x10000000;
    public const uint EdgeTriggered = 0x80000000;

    private const int CloseOnExec = 0x80000;
    private const int CtlAdd = 1;
    private const int CtlDelete = 2;
    private const int CtlModify = 3;
    private const int EpollPwait2 = 441;
    private const long NanosPerMilli = 1_000_000;
    private const long NanosPerSecond = 1_000_000_000;

    private static volatile bool _lacksNanos;

    /// <summary>epoll_create1(2).</summary>
    public static SysResult Create() => SysResult.Of(epoll_create1(CloseOnExec));

    /// <summary>Registers a descriptor; <paramref name="data"/> comes back with each of its events.</summary>
    public static SysResult Add(int epoll, int fd, uint events, ulong data)
    {
        var entry = stackalloc byte[16];
        EpollEvents.Write(entry, events, data);
        return SysResult.Of(epoll_ctl(epoll, CtlAdd, fd, entry));
    }

    /// <summary>Registers a descriptor anew: what it is ready for is reported again.</summary>
    public static SysResult Rearm(int epoll, int fd, uint events, ulong data)
    {
        var entry = stackalloc byte[16];
        EpollEvents.Write(entry, events, data);
        return SysResult.Of(epoll_ctl(epoll, CtlModify, fd, entry));
    }

    /// <summary>Takes a descriptor out; closing its last copy does the same.</summary>
    public static SysResult Remove(int epoll, int fd)
    {
        var entry = stackalloc byte[16];
        return SysResult.Of(epoll_ctl(epoll, CtlDelete, fd, entry));
    }

    /// <summary>epoll_pwait2(2): how many events were written to <paramref name="events"/>; an interrupted wait gives 0.</summary>
    /// <param name="epoll">The set.</param>
    /// <param name="events">Room for them.</param>
    /// <param name="timeoutNanos">0 does not wait. Before kernel 5.11 it is rounded up to milliseconds.</param>
    public static SysResult Wait(int epoll, EpollEvents events, long timeoutNanos)
    {
        var result = _lacksNanos ? default : WaitNanos(epoll, events, timeoutNanos);
        if (result.Errno == Errno.ENOSYS)
            _lacksNanos = true;
        if (_lacksNanos)
            result = SysResult.Of(epoll_wait(epoll, events.Pointer, events.Capacity, (int)((timeoutNanos + NanosPerMilli - 1) / NanosPerMilli)));
        return result.Errno == Errno.EINTR ? default : result;
    }

    // Younger than the oldest C library that this runs on.
    private static SysResult WaitNanos(int epoll, EpollEvents events, long timeoutNanos)
    {
        var timeout = stackalloc long[2] { timeoutNanos / NanosPerSecond, timeoutNanos % NanosPerSecond };
        return SysResult.Of(syscall(EpollPwait2, epoll, events.Pointer, events.Capacity, timeout, 0, 0));
    }

    [LibraryImport("libc")]
    private static partial nint syscall(nint number, nint epoll, byte* events, nint capacity, long* timeout, nint signals, nint size);

    [LibraryImport("libc")]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc")]
    private static partial int epoll_ctl(int epoll, int operation, int fd, byte* entry);

    [LibraryImport("libc")]
    private static partial int epoll_wait(int epoll, byte* events, int capacity, int timeout);
}

/// <summary>A buffer of struct epoll_event: packed to 12 bytes on x86-64, 16 bytes elsewhere (linux/eventpoll.h).</summary>
public readonly unsafe struct EpollEvents(byte* pointer, int capacity)
{
    /// <summary>Bytes of one event.</summary>
    public static readonly int Size = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int _dataOffset = Size - sizeof(ulong);

    /// <summary>How many fit.</summary>
    public int Capacity => capacity;

    internal byte* Pointer => pointer;

    /// <summary>The event bits of entry <paramref name="index"/>.</summary>
    public uint Events(int index) => *(uint*)(pointer + (index * Size));

    /// <summary>What the descriptor of entry <paramref name="index"/> was registered with.</summary>
    public ulong Data(int index) => *(ulong*)(pointer + (index * Size) + _dataOffset);

    internal static void Write(byte* entry, uint events, ulong data)
    {
        *(uint*)entry = events;
        *(ulong*)(entry + _dataOffset) = data;
    }
}
