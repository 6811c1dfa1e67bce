using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Workloads;

/// <summary>Holds each connection for its lifetime, then closes it: another takes its place under the schedule's pace.</summary>
public sealed class ChurnWorkload(ITransport transport, ConnectionLife life) : IWorkload
{
    private readonly HoldWorkload _meanwhile = new(transport);

    /// <inheritdoc/>
    public ConnectionLife? Life => life;

    /// <inheritdoc/>
    public TransportAnswer OnReadable(Reactor reactor, int slot, out int errno) => _meanwhile.OnReadable(reactor, slot, out errno);
}
