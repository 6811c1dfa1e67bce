using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>pthread_sigmask(3).</summary>
public static unsafe partial class SignalMask
{
    private const int SigBlock = 0;
    private const int HighestStandard = 31;

    // SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS: raised by the thread itself.
    private static readonly int[] _synchronous = [4, 5, 6, 7, 8, 11, 31];

    /// <summary>
    /// Blocks every standard signal for the calling thread but the synchronous faults. Real-time signals stay open: the
    /// runtime suspends threads with one of them.
    /// </summary>
    public static SysResult BlockAllButFaults()
    {
        var set = stackalloc ulong[16];
        new Span<ulong>(set, 16).Clear();
        for (var signal = 1; signal <= HighestStandard; signal++)
            set[0] |= 1UL << (signal - 1);
        foreach (var signal in _synchronous)
            set[0] &= ~(1UL << (signal - 1));
        var error = pthread_sigmask(SigBlock, set, null);
        return error == 0 ? default : SysResult.Failed(error);
    }

    [LibraryImport("libc")]
    private static partial int pthread_sigmask(int how, ulong* set, ulong* old);
}
