using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>What ties a child to its parent: prctl(PR_SET_PDEATHSIG), getppid(2), read(2) of standard input, _exit(2).</summary>
public static unsafe partial class ParentProcess
{
    private const int PrSetPdeathsig = 1;
    private const int SigKill = 9;

    /// <summary>Process id of the parent; it changes when the parent dies.</summary>
    public static int Id => getppid();

    /// <summary>Has the kernel kill this process when the thread that created it ends.</summary>
    public static SysResult DieWithParent() => SysResult.Of(prctl(PrSetPdeathsig, SigKill, 0, 0, 0));

    /// <summary>Waits until standard input is at its end or broken; what comes before is thrown away.</summary>
    public static void WaitForEndOfInput()
    {
        const int bytes = 256;
        var buffer = stackalloc byte[bytes];
        SysResult result;
        do
            result = SysResult.Of(read(0, buffer, bytes));
        while (result.Value > 0 || result.Errno == Errno.EINTR);
    }

    /// <summary>Ends the process at once; the kernel closes its sockets.</summary>
    public static void ExitNow(int code) => _exit(code);

    [LibraryImport("libc")]
    private static partial int getppid();

    [LibraryImport("libc")]
    private static partial int prctl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc")]
    private static partial nint read(int fd, byte* buffer, nint length);

    [LibraryImport("libc")]
    private static partial void _exit(int code);
}
