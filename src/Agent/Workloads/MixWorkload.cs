using System.Collections.Immutable;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.V1;

namespace LoadHarness.Agent.Workloads;

/// <summary>
/// Connections of several kinds: a new one becomes of the kind that is furthest below its share of those that live, so that kinds which
/// end early do not die out.
/// </summary>
/// <param name="kinds">Each with its weight, 1 or above.</param>
/// <param name="rounding">
/// From 0 to 1 (exclusive): of a kind's part of a connection, how much counts as none. Reactors that share a run have different ones, spread evenly: else a kind
/// that is due less than half a connection on each of them would not be there at all.
/// </param>
internal sealed class MixWorkload(ImmutableArray<(int Weight, IWorkload Workload)> kinds, double rounding) : IWorkload
{
    private readonly long[] _live = new long[kinds.Length];
    private SlotArray<byte> _kindOf = null!;

    /// <inheritdoc/>
    public void OnStart(IConnections connections)
    {
        _kindOf = new SlotArray<byte>(connections.Reactor.Connections.Capacity);
        foreach (var kind in kinds)
            kind.Workload.OnStart(connections);
    }

    /// <inheritdoc/>
    public void OnOpened(int slot)
    {
        var next = Next();
        _kindOf[slot] = (byte)next;
        _live[next]++;
        kinds[next].Workload.OnOpened(slot);
    }

    /// <inheritdoc/>
    public TransportAnswer OnReadable(int slot, out TransportFault fault) => Of(slot).OnReadable(slot, out fault);

    /// <inheritdoc/>
    public void OnWritable(int slot) => Of(slot).OnWritable(slot);

    /// <inheritdoc/>
    public FailureStage? OnPeerEnded(int slot, ref TransportFault fault) => Of(slot).OnPeerEnded(slot, ref fault);

    /// <inheritdoc/>
    public bool MayClose(int slot) => Of(slot).MayClose(slot);

    /// <inheritdoc/>
    public void OnLeft(int slot)
    {
        _live[_kindOf[slot]]--;
        Of(slot).OnLeft(slot);
    }

    /// <inheritdoc/>
    public void OnDrain()
    {
        foreach (var kind in kinds)
            kind.Workload.OnDrain();
    }

    /// <inheritdoc/>
    public long Pace(long nowNanos)
    {
        var next = long.MaxValue;
        foreach (var kind in kinds)
            next = Math.Min(next, kind.Workload.Pace(nowNanos));
        return next;
    }

    /// <inheritdoc/>
    public void OnSnapshot(ReactorSnapshot snapshot)
    {
        foreach (var kind in kinds)
            kind.Workload.OnSnapshot(snapshot);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var kind in kinds)
            kind.Workload.Dispose();
        _kindOf?.Dispose();
    }

    private IWorkload Of(int slot) => kinds[_kindOf[slot]].Workload;

    // A divisor method, as seats are shared (with a rounding of 1/2 that of Sainte-Lague): the least (n + rounding) / weight.
    private int Next()
    {
        var next = 0;
        for (var i = 1; i < kinds.Length; i++)
        {
            if ((_live[i] + rounding) * kinds[next].Weight < (_live[next] + rounding) * kinds[i].Weight)
                next = i;
        }

        return next;
    }
}
