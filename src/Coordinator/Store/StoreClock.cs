namespace LoadHarness.Coordinator.Store;

/// <summary>The clock that nobody can set, in nanoseconds; it counts from some instant that stays until the machine is started anew.</summary>
internal static class StoreClock
{
    private const long NanosPerSecond = 1_000_000_000;

    /// <summary>Now.</summary>
    public static long Nanos(TimeProvider time) => (long)((Int128)time.GetTimestamp() * NanosPerSecond / time.TimestampFrequency);
}
