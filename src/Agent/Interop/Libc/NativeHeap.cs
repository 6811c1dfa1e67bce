using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>What OpenSSL and the runtime take by malloc(3). Does nothing where the C library is not glibc.</summary>
internal static partial class NativeHeap
{
    // M_TRIM_THRESHOLD of malloc.h, and what glibc begins with.
    private const int TrimThreshold = -1;
    private const int TrimThresholdBytes = 128 * 1024;

    /// <summary>
    /// From now on the end of each thread's heap goes back to the kernel when 128 KiB of it are free (mallopt(3)). By itself glibc raises that limit with
    /// the first large block that is freed, and <see cref="Trim"/> reaches the end of one heap alone (malloc/malloc.c, mtrim).
    /// </summary>
    public static void KeepEndsShort() => IfGlibc(() => mallopt(TrimThreshold, TrimThresholdBytes));

    /// <summary>Gives whole pages inside the heaps that nobody uses back to the kernel (malloc_trim(3)).</summary>
    public static void Trim() => IfGlibc(() => malloc_trim(0));

    private static void IfGlibc(Func<int> call)
    {
        try
        {
            _ = call();
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library has no such call.
        }
    }

    [LibraryImport("libc")]
    private static partial int mallopt(int parameter, int value);

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint pad);
}
