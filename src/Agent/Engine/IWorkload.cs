using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Engine;

/// <summary>What a connection does once it is open. Called on the reactor's thread.</summary>
public interface IWorkload
{
    /// <summary>
    /// Data has arrived. Again: all is dealt with. Done: a bound was met, call once more. Failed: the connection is over; errno
    /// 0 is the peer's FIN.
    /// </summary>
    TransportAnswer OnReadable(Reactor reactor, int slot, out int errno);

    /// <summary>How long a connection lives and how it then ends; null: until the goal falls, or the peer ends it.</summary>
    ConnectionLife? Life { get; }
}
