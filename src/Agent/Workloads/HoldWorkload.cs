using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Workloads;

/// <summary>
/// Keeps the connection open and sends nothing. What the target sends is thrown away at once: unread bytes would cost a page
/// of tcp_mem a connection and turn our FIN into RST.
/// </summary>
public sealed class HoldWorkload : IWorkload
{
    private IConnections _connections = null!;

    /// <inheritdoc/>
    public void OnStart(IConnections connections) => _connections = connections;

    /// <inheritdoc/>
    public void OnOpened(int slot) => _connections.Transport.Idle(slot);

    /// <inheritdoc/>
    public TransportAnswer OnReadable(int slot, out TransportFault fault)
    {
        var answer = _connections.Transport.Discard(slot, out var bytes, out fault);
        Greeted.Note(_connections.Reactor, slot, bytes);
        if (answer != TransportAnswer.Failed)
            _connections.Transport.Idle(slot);
        return answer;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
