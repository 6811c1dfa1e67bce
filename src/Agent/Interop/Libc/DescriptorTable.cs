using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>A descriptor table of the calling thread's own (close_range(2), kernel 5.9 and later).</summary>
public static partial class DescriptorTable
{
    private const uint CloseRangeUnshare = 2;

    // Inherited descriptors have low numbers: the kernel gives out the lowest free one.
    private const int HighestInherited = 65_536;

    private static readonly Lazy<int> _probe = new(ProbeOnOwnThread);

    /// <summary>Why a thread cannot have a table of its own: an errno (ENOSYS before kernel 5.9); 0 when it can.</summary>
    public static int UnshareErrno => _probe.Value;

    /// <summary>
    /// Copies the descriptor table for the calling thread: from here on RLIMIT_NOFILE binds for it alone. The range
    /// named holds nothing, so nothing is closed.
    /// </summary>
    public static SysResult Unshare() => SysResult.Of(close_range(1_000_000, 1_000_001, CloseRangeUnshare));

    /// <summary>
    /// Closes the sockets that the copy holds: their owners' close would send no FIN while a copy lives. Nothing else
    /// is closed: the runtime reaches its memfd, signal pipe and urandom by number.
    /// </summary>
    /// <param name="keep">Sockets to keep: those that are shared with their owner.</param>
    /// <returns>How many were closed.</returns>
    public static int CloseInheritedSockets(ImmutableArray<int> keep)
    {
        var closed = 0;
        for (var fd = 0; fd < HighestInherited; fd++)
        {
            if (!Sockets.IsSocket(fd) || keep.Contains(fd))
                continue;
            Sockets.Close(fd);
            closed++;
        }

        return closed;
    }

    // The thread that asks gets the table; it ends at once, and the table with it.
    private static int ProbeOnOwnThread()
    {
        var errno = 0;
        var thread = new Thread(() => errno = Unshare().Errno, 128 * 1024) { Name = "descriptor-probe" };
        thread.Start();
        thread.Join();
        return errno;
    }

    [LibraryImport("libc")]
    private static partial int close_range(uint first, uint last, uint flags);
}
