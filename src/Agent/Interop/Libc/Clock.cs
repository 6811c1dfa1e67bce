using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>clock_gettime(2).</summary>
public static unsafe partial class Clock
{
    private const int ClockMonotonic = 1;
    private const int ClockThreadCpuTime = 3;
    private const int ClockBoottime = 7;

    /// <summary>CLOCK_BOOTTIME in nanoseconds: never set, and it goes on while the host sleeps.</summary>
    public static long BoottimeNanos => Read(ClockBoottime);

    /// <summary>CLOCK_MONOTONIC in nanoseconds.</summary>
    public static long MonotonicNanos => Read(ClockMonotonic);

    /// <summary>CPU time of the calling thread in nanoseconds.</summary>
    public static long ThreadCpuNanos => Read(ClockThreadCpuTime);

    private static long Read(int clock)
    {
        Timespec time;
        clock_gettime(clock, &time);
        return (time.Seconds * 1_000_000_000) + time.Nanos;
    }

    [SuppressGCTransition]
    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, Timespec* time);

    private struct Timespec
    {
        public long Seconds;
        public long Nanos;
    }
}
