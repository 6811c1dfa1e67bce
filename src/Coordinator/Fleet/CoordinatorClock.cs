namespace LoadHarness.Coordinator.Fleet;

/// <summary>
/// The clock that agents map elapsed time to: nanoseconds that count evenly from some instant in the past.
/// It never jumps, and it means nothing outside this process.
/// </summary>
public sealed class CoordinatorClock(TimeProvider time)
{
    private const long NanosPerSecond = 1_000_000_000;

    /// <summary>For waiting on the same clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Now, in nanoseconds.</summary>
    public long Nanos => (long)((Int128)time.GetTimestamp() * NanosPerSecond / time.TimestampFrequency);

    /// <summary>From one instant to another.</summary>
    public static TimeSpan Between(long fromNanos, long toNanos) => new((toNanos - fromNanos) / TimeSpan.NanosecondsPerTick);

    /// <summary>A time in nanoseconds.</summary>
    public static long ToNanos(TimeSpan span) => span.Ticks * TimeSpan.NanosecondsPerTick;
}
