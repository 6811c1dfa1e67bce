using System.ComponentModel;
using System.Runtime.InteropServices;

namespace LoadHarness.Coordinator.Interop;

/// <summary>Whose a file is, which one, and what it is, which the framework does not say (statx(2), Linux 4.11).</summary>
public static class FileOwner
{
    private const int AtFdcwd = -100;
    private const int AtSymlinkNofollow = 0x100;
    private const uint StatxUid = 0x8;

    // struct statx (linux/stat.h): 256 bytes on every architecture, stx_uid behind mask, blksize, attributes and nlink.
    private const int StatxSize = 256;
    private const int StatxUidOffset = 20;
    private const int StatxInodeOffset = 32;
    private const uint StatxInode = 0x100;
    private const uint StatxType = 0x1;
    private const int StatxModeOffset = 28;
    private const int FileType = 0xF000; // S_IFMT
    private const int Regular = 0x8000; // S_IFREG

    /// <summary>The user id that owns a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="follow">Whether that of the file behind a symbolic link is wanted, instead of the link's.</param>
    /// <exception cref="Win32Exception">The file cannot be looked at; the message is the system's.</exception>
    public static uint Of(string path, bool follow = false)
    {
        var buffer = new byte[StatxSize];
        if (statx(AtFdcwd, path, follow ? 0 : AtSymlinkNofollow, StatxUid, buffer) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        return MemoryMarshal.Read<uint>(buffer.AsSpan(StatxUidOffset));
    }

    /// <summary>The number of a file in its file system; null when nothing is there.</summary>
    public static ulong? InodeOf(string path)
    {
        var buffer = new byte[StatxSize];
        return statx(AtFdcwd, path, 0, StatxInode, buffer) == 0 ? MemoryMarshal.Read<ulong>(buffer.AsSpan(StatxInodeOffset)) : null;
    }

    /// <summary>Whether something is there that is no regular file: a directory, a named pipe, a device. A symbolic link is followed.</summary>
    public static bool IsNoRegularFile(string path)
    {
        var buffer = new byte[StatxSize];
        return statx(AtFdcwd, path, 0, StatxType, buffer) == 0
            && (MemoryMarshal.Read<ushort>(buffer.AsSpan(StatxModeOffset)) & FileType) != Regular;
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int statx(
        int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] buffer);
}
