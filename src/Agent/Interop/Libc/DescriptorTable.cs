using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>A descriptor table of the calling thread's own (close_range(2), kernel 5.9 and later).</summary>
public static partial class DescriptorTable
{
    private const uint CloseRangeUnshare = 2;

    // Inherited descriptors have low numbers: the kernel gives out the lowest free one.
    private const int HighestInherited = 65_536;

    /// <summary>
    /// Copies the descriptor table for the calling thread: from here on RLIMIT_NOFILE binds for it alone. The range
    /// named holds nothing, so nothing is closed.
    /// </summary>
    public static SysResult Unshare() => SysResult.Of(close_range(1_000_000, 1_000_001, CloseRangeUnshare));

    /// <summary>
    /// Closes the sockets that the copy holds: their owners' close would send no FIN while a copy lives. Nothing else
    /// is closed: the runtime reaches its memfd, signal pipe and urandom by number.
    /// </summary>
    /// <returns>How many were closed.</returns>
    public static int CloseInheritedSockets()
    {
        var closed = 0;
        for (var fd = 0; fd < HighestInherited; fd++)
        {
            if (!Sockets.IsSocket(fd))
                continue;
            Sockets.Close(fd);
            closed++;
        }

        return closed;
    }

    [LibraryImport("libc")]
    private static partial int close_range(uint first, uint last, uint flags);
}
