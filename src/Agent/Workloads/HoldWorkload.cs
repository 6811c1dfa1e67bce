using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Workloads;

/// <summary>
/// Keeps the connection open and sends nothing. What the target sends is thrown away at once: unread bytes would cost a page
/// of tcp_mem a connection and turn our FIN into RST.
/// </summary>
public sealed class HoldWorkload(ITransport transport) : IWorkload
{
    /// <inheritdoc/>
    public ConnectionLife? Life => null;

    /// <inheritdoc/>
    public TransportAnswer OnReadable(Reactor reactor, int slot, out int errno)
    {
        var answer = transport.Discard(slot, out var bytes, out errno);
        if (bytes > 0)
            Received(reactor, slot, bytes);
        return answer;
    }

    private static void Received(Reactor reactor, int slot, long bytes)
    {
        reactor.Counters.BytesReceived += bytes;
        ref var marks = ref reactor.Connections.Marks(slot);
        if ((marks & ConnectionMarks.Greeted) != 0)
            return;
        marks |= ConnectionMarks.Greeted;
        reactor.Counters.Confirmed++;
    }
}
