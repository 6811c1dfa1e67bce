using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Backend;

/// <summary>
/// What a backend does with what its peers send. What a peer does not take at once is kept, and nothing more is read from it until it has,
/// so that a connection never owes more than the answer to one read. Used by one reactor.
/// </summary>
internal interface IResponder : IDisposable
{
    /// <summary>Makes room for descriptors 0 to <paramref name="capacity"/>-1.</summary>
    void Reserve(int capacity);

    /// <summary>A connection begins.</summary>
    void Open(int fd);

    /// <summary>A connection has ended.</summary>
    void Close(int fd);

    /// <summary>
    /// Reads, answers, writes. Again: an event will come. Done: a bound was met, call once more. Failed: the connection is to be
    /// closed.
    /// </summary>
    TransportAnswer Serve(int fd, uint events, ref ReactorCounters counters);
}
