using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.V1;

namespace LoadHarness.Agent.Engine;

/// <summary>What a workload may know and ask of the connections that it drives. For the reactor's thread.</summary>
public interface IConnections
{
    /// <summary>The loop that they live in.</summary>
    Reactor Reactor { get; }

    /// <summary>What carries them.</summary>
    ITransport Transport { get; }

    /// <summary>Where latencies are recorded in this interval; another one in the next.</summary>
    Latencies Latencies { get; }

    /// <summary>This reactor's part of the requests per second that an open model asks of the agent; 0: none.</summary>
    double RequestsPerSecond { get; }

    /// <summary>Whether everything is being closed: nothing new is begun.</summary>
    bool IsDraining { get; }

    /// <summary>Whether the kernel's memory is too short for closes that wait for the peer.</summary>
    bool StopsFins { get; }

    /// <summary>Ends an open connection as planned.</summary>
    /// <param name="slot">The connection; not to be touched afterwards.</param>
    /// <param name="byReset">With RST instead of FIN.</param>
    void End(int slot, bool byReset);

    /// <summary>Ends an open connection, by RST, that cannot go on; another takes its place.</summary>
    /// <param name="slot">The connection; not to be touched afterwards.</param>
    /// <param name="stage">What it was doing.</param>
    /// <param name="fault">Why.</param>
    void Fail(int slot, FailureStage stage, TransportFault fault);
}
