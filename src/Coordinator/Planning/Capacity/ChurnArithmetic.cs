namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>
/// How often connections can be replaced while the tuples of those that ended by our FIN rest. A tuple is taken for the lifetime of its
/// connection and rests after it, so a number of tuples allows tuples / (lifetime + rest) connections per second.
/// </summary>
public static class ChurnArithmetic
{
    /// <summary>
    /// TIME-WAIT on Linux: TCP_TIMEWAIT_LEN in include/net/tcp.h, a constant. RFC 9293 says 2 MSL with an MSL of 120 s, older texts 120 s.
    /// </summary>
    public static readonly TimeSpan TimeWait = TimeSpan.FromSeconds(60);

    /// <summary>Connections per second that tuples allow.</summary>
    /// <param name="tuples">0 or more.</param>
    /// <param name="lifetime">From ESTABLISHED to our close.</param>
    /// <param name="rest">How long a tuple is left alone after that.</param>
    /// <returns>Per second; infinite when nothing takes time.</returns>
    public static double Ceiling(long tuples, TimeSpan lifetime, TimeSpan rest) => tuples / (lifetime + rest).TotalSeconds;

    /// <summary>Connections per second that keep a goal up when each lives for a time.</summary>
    public static double RateOf(long goal, TimeSpan lifetime) => goal / lifetime.TotalSeconds;

    /// <summary>Tuples that rest at a rate: Little's law.</summary>
    public static long Resting(double perSecond, TimeSpan rest) => (long)Math.Ceiling(perSecond * rest.TotalSeconds);

    /// <summary>Tuples that a goal takes when its connections are replaced: those in use and those that rest.</summary>
    public static long TuplesFor(long goal, TimeSpan lifetime, TimeSpan rest) => goal + Resting(RateOf(goal, lifetime), rest);
}
