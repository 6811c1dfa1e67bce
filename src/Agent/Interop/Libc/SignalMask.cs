using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>pthread_sigmask(3), sigtimedwait(2), kill(2).</summary>
public static unsafe partial class SignalMask
{
    private const int SigBlock = 0;
    private const int HighestStandard = 31;

    // sigset_t of glibc and musl: 1,024 bits.
    private const int SetWords = 16;

    // SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS: raised by the thread itself.
    private static readonly int[] _synchronous = [4, 5, 6, 7, 8, 11, 31];

    /// <summary>
    /// Blocks every standard signal for the calling thread but the synchronous faults. Real-time signals stay open: the
    /// runtime suspends threads with one of them.
    /// </summary>
    public static SysResult BlockAllButFaults()
    {
        var set = stackalloc ulong[SetWords];
        FillAllButFaults(set);
        var error = pthread_sigmask(SigBlock, set, null);
        return error == 0 ? default : SysResult.Failed(error);
    }

    /// <summary>
    /// Gives signals that were aimed at the calling thread, where they are blocked, to the process instead: another thread
    /// handles them. Never waits.
    /// </summary>
    public static void PassOnPending()
    {
        var set = stackalloc ulong[SetWords];
        FillAllButFaults(set);
        var now = default(TimeSpec);
        var taken = 0UL;
        while (sigtimedwait(set, null, &now) is > 0 and var signal)
            taken |= 1UL << (signal - 1);

        // After the last was taken: one that every other thread blocks too would come back at once, without end.
        for (var signal = 1; taken >> (signal - 1) != 0; signal++)
        {
            if ((taken >> (signal - 1) & 1) != 0)
                kill(Environment.ProcessId, signal);
        }
    }

    private static void FillAllButFaults(ulong* set)
    {
        new Span<ulong>(set, SetWords).Clear();
        for (var signal = 1; signal <= HighestStandard; signal++)
            set[0] |= 1UL << (signal - 1);
        foreach (var signal in _synchronous)
            set[0] &= ~(1UL << (signal - 1));
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc")]
    private static partial int pthread_sigmask(int how, ulong* set, ulong* old);

    [LibraryImport("libc")]
    private static partial int sigtimedwait(ulong* set, void* info, TimeSpec* timeout);

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}
