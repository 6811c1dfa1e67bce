using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.V1;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// What the connections of one reactor do once they are open. Called on the reactor's thread. A slot is the workload's from
/// <see cref="OnOpened"/> until <see cref="OnLeft"/>.
/// </summary>
public interface IWorkload : IDisposable
{
    /// <summary>Called once, before the first connection.</summary>
    void OnStart(IConnections connections);

    /// <summary>A connection is open.</summary>
    void OnOpened(int slot);

    /// <summary>
    /// Something has come, or it was asked for again. Again: all is dealt with. Done: a bound was met, call once more. Failed: the
    /// connection is over; the fault says how. The connection may have been ended meanwhile: then the answer is no matter.
    /// </summary>
    TransportAnswer OnReadable(int slot, out TransportFault fault);

    /// <summary>There may be room to send.</summary>
    void OnWritable(int slot)
    {
    }

    /// <summary>The peer has ended the connection, or the transport has failed. It is left next.</summary>
    /// <param name="slot">The connection.</param>
    /// <param name="fault">How; a workload that knows more says it.</param>
    /// <returns>What it was doing; null when the end was to be expected.</returns>
    FailureStage? OnPeerEnded(int slot, ref TransportFault fault) => FailureStage.Hold;

    /// <summary>
    /// The connection is to be closed by FIN since fewer are wanted. False: something is under way; the workload ends it by itself
    /// as soon as that is over, or <see cref="OnLeft"/> comes earlier.
    /// </summary>
    bool MayClose(int slot) => true;

    /// <summary>The connection is not open any more: it is closing, or gone.</summary>
    void OnLeft(int slot)
    {
    }

    /// <summary>Everything is going to be closed: nothing new is to be begun.</summary>
    void OnDrain()
    {
    }

    /// <summary>Does what time calls for.</summary>
    /// <param name="nowNanos">CLOCK_BOOTTIME.</param>
    /// <returns>When to be called next at the latest; <see cref="long.MaxValue"/> when only an event can change anything.</returns>
    long Pace(long nowNanos) => long.MaxValue;

    /// <summary>Adds gauges and latencies to a snapshot.</summary>
    void OnSnapshot(ReactorSnapshot snapshot)
    {
    }
}
