namespace LoadHarness.Agent.Engine;

/// <summary>The end of a connection that was planned when it was opened.</summary>
/// <param name="Length">From ESTABLISHED to our close; above zero, at most <see cref="Longest"/>. Met late by a few milliseconds, never early.</param>
/// <param name="ByReset">With RST, which leaves no TIME-WAIT and its tuple free at once; otherwise with FIN.</param>
public sealed record ConnectionLife(TimeSpan Length, bool ByReset)
{
    /// <summary>Ends are counted in milliseconds modulo 2^32 and compared by their difference.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(24);
}
