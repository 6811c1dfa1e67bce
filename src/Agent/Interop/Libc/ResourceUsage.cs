using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>getrusage(2), getrlimit(2), setrlimit(2).</summary>
public static unsafe partial class ResourceUsage
{
    private const int RusageSelf = 0;
    private const int RlimitNofile = 7;

    /// <summary>CPU time of the process so far, user and system, in microseconds.</summary>
    public static long ProcessCpuMicros
    {
        get
        {
            // struct rusage: two timevals, then fourteen longs.
            var usage = stackalloc long[18];
            _ = getrusage(RusageSelf, usage);
            return ((usage[0] + usage[2]) * 1_000_000) + usage[1] + usage[3];
        }
    }

    /// <summary>Raises the soft limit of RLIMIT_NOFILE to the hard one.</summary>
    /// <returns>The limit in force: descriptors in one table.</returns>
    public static int RaiseDescriptorLimit()
    {
        var limit = stackalloc ulong[2];
        if (getrlimit(RlimitNofile, limit) != 0)
            return 1024;
        limit[0] = limit[1];
        _ = setrlimit(RlimitNofile, limit);
        _ = getrlimit(RlimitNofile, limit);
        return (int)Math.Min(limit[0], int.MaxValue);
    }

    [LibraryImport("libc")]
    private static partial int getrusage(int who, long* usage);

    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, ulong* limit);

    [LibraryImport("libc")]
    private static partial int setrlimit(int resource, ulong* limit);
}
