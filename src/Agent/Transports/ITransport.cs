using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Transports;

/// <summary>
/// What carries the connections of one reactor once TCP is ESTABLISHED. All calls return at once, and are made by the reactor's thread.
/// </summary>
public interface ITransport : IDisposable
{
    /// <summary>Called once, before the first connection.</summary>
    /// <param name="capacity">One more than the highest slot.</param>
    void Reserve(int capacity)
    {
    }

    /// <summary>Whether there is a handshake of its own behind TCP's.</summary>
    bool HasHandshake => false;

    /// <summary>Takes a connected socket on, and begins the handshake if there is one.</summary>
    /// <param name="slot">The descriptor.</param>
    /// <param name="source">Our end.</param>
    /// <param name="destination">The target's end.</param>
    /// <param name="number">Of the destination among those of the run.</param>
    /// <param name="fault">When it failed.</param>
    /// <returns>Done: data can flow. Again: call <see cref="Handshake"/> at the next event.</returns>
    TransportAnswer Open(int slot, in SocketAddress source, in SocketAddress destination, int number, out TransportFault fault);

    /// <summary>Takes the handshake on; Done once data can flow.</summary>
    TransportAnswer Handshake(int slot, out TransportFault fault);

    /// <summary>Whether the handshake resumed an earlier session.</summary>
    bool HasResumed(int slot) => false;

    /// <summary>Sends.</summary>
    /// <param name="slot">The descriptor.</param>
    /// <param name="bytes">At least one. After Again the same ones must come again, without those that were taken.</param>
    /// <param name="sent">How many were taken.</param>
    /// <param name="fault">When it failed.</param>
    /// <returns>Done: all of them were taken. Again: some may have been, and an event tells when there is room for the others.</returns>
    TransportAnswer Send(int slot, ReadOnlySpan<byte> bytes, out int sent, out TransportFault fault);

    /// <summary>Reads.</summary>
    /// <param name="slot">The descriptor.</param>
    /// <param name="buffer">Room for at least one byte.</param>
    /// <param name="received">How many came, in every case.</param>
    /// <param name="fault">When it failed: the peer's end too.</param>
    TransportAnswer Receive(int slot, Span<byte> buffer, out int received, out TransportFault fault);

    /// <summary>Throws away what has arrived. Done: a bound was met, call once more.</summary>
    /// <param name="slot">The descriptor.</param>
    /// <param name="bytes">What the peer's application has sent of it.</param>
    /// <param name="fault">When it failed: the peer's end too.</param>
    TransportAnswer Discard(int slot, out long bytes, out TransportFault fault);

    /// <summary>The socket has failed; what has come ahead of that may say why. The slot is released next.</summary>
    /// <param name="slot">The descriptor.</param>
    /// <param name="errno">How it failed.</param>
    TransportFault FaultBehind(int slot, int errno) => TransportFault.OfErrno(errno);

    /// <summary>The connection will never send again, and what comes will be thrown away: what it takes beside the socket is given back.</summary>
    void Idle(int slot)
    {
    }

    /// <summary>Sends our side's end; Done once our FIN is on its way. From then on it can only <see cref="Discard"/>.</summary>
    TransportAnswer Shutdown(int slot, out TransportFault fault);

    /// <summary>Forgets a slot whose socket is closed next. One that is not known is no matter.</summary>
    void Release(int slot)
    {
    }
}
