using System.ComponentModel;
using System.Runtime.InteropServices;

namespace LoadHarness.TestKit;

/// <summary>The system calls that tests need and the class library does not offer.</summary>
internal static class Native
{
    public const int NetworkNamespaceFlag = 0x40000000; // CLONE_NEWNET
    private const int ReadOnlyCloseOnExec = 0x80000; // O_RDONLY | O_CLOEXEC

    private static readonly long _tgkill = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 234,
        Architecture.Arm64 => 131,
        var other => throw new PlatformNotSupportedException($"the number of tgkill(2) on {other} is not known here"),
    };

    /// <summary>Sends a signal to a process, or to a process group when the number is negative; false when there is none.</summary>
    public static bool TryKill(int pid, int signal) => kill(pid, signal) == 0;

    /// <summary>Sends a signal to one thread.</summary>
    public static void KillThread(int pid, int threadId, int signal) => Require(syscall(_tgkill, pid, threadId, signal) == 0, "tgkill");

    /// <summary>Moves the calling thread into the network namespace that a file stands for.</summary>
    public static void EnterNamespace(string path)
    {
        var descriptor = open(path, ReadOnlyCloseOnExec);
        Require(descriptor >= 0, $"open {path}");
        var entered = setns(descriptor, NetworkNamespaceFlag) == 0;
        var error = Marshal.GetLastPInvokeError();
        _ = close(descriptor);
        if (!entered)
            throw new Win32Exception(error, $"setns {path}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    private static void Require(bool done, string call)
    {
        var error = Marshal.GetLastPInvokeError();
        if (!done)
            throw new Win32Exception(error, $"{call}: {Marshal.GetPInvokeErrorMessage(error)}");
    }

#pragma warning disable SYSLIB1054, IDE1006 // Blittable arguments and names as in the manual pages; no generated code is worth it here.
    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int pid, int signal);

    [DllImport("libc", SetLastError = true)]
    private static extern long syscall(long number, long first, long second, long third);

    [DllImport("libc", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false)]
    private static extern int open(string path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int close(int descriptor);

    [DllImport("libc", SetLastError = true)]
    private static extern int setns(int descriptor, int flags);
#pragma warning restore SYSLIB1054, IDE1006
}
