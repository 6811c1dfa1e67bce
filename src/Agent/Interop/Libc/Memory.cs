using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>Anonymous memory that costs nothing until it is touched (mmap(2)), zeroed.</summary>
public static unsafe partial class Memory
{
    private const int ProtReadWrite = 3;
    private const int MapPrivateAnonymousNoReserve = 0x02 | 0x20 | 0x4000;

    /// <summary>Reserves room for <paramref name="count"/> values.</summary>
    /// <exception cref="OutOfMemoryException">The kernel has no address space left.</exception>
    public static T* Reserve<T>(int count)
        where T : unmanaged
    {
        var address = mmap(0, Length<T>(count), ProtReadWrite, MapPrivateAnonymousNoReserve, -1, 0);
        if (address == -1)
            throw new OutOfMemoryException($"mmap of {Length<T>(count)} bytes: errno {Marshal.GetLastSystemError()}");
        return (T*)address;
    }

    /// <summary>Gives back what <see cref="Reserve{T}"/> gave.</summary>
    public static void Release<T>(T* memory, int count)
        where T : unmanaged
    {
        if (memory != null)
            _ = munmap((nint)memory, Length<T>(count));
    }

    private static nuint Length<T>(int count)
        where T : unmanaged => (nuint)count * (nuint)sizeof(T);

    [LibraryImport("libc")]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc")]
    private static partial int munmap(nint address, nuint length);
}
