using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>adjtimex(2), read only.</summary>
public static unsafe partial class ClockState
{
    // struct timex has 208 bytes on 64-bit Linux; modes, its first field, is 0: nothing is set.
    private const int TimexBytes = 208;
    private const int TimeError = 5;

    /// <summary>Whether the kernel believes its clock to be synchronised (NTP, PTP); null when it does not say.</summary>
    public static bool? Synchronised
    {
        get
        {
            var timex = stackalloc byte[TimexBytes];
            new Span<byte>(timex, TimexBytes).Clear();
            var state = SysResult.Of(adjtimex(timex));
            return state.Ok ? state.Value != TimeError : null;
        }
    }

    [LibraryImport("libc")]
    private static partial int adjtimex(void* timex);
}
