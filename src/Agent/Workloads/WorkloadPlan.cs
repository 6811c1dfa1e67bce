using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Workloads;

/// <summary>What connections of one kind do; see assignment.proto.</summary>
public abstract record WorkloadPlan
{
    private WorkloadPlan()
    {
    }

    /// <summary>Stay open.</summary>
    public sealed record Hold : WorkloadPlan;

    /// <summary>Live for a time, end, and are replaced.</summary>
    /// <param name="Life">Null: until the peer ends them.</param>
    /// <param name="Close">FIN, RST, or PEER: the peer's end is the planned one.</param>
    public sealed record Churn(Lifetime? Life, CloseMethod Close) : WorkloadPlan;

    /// <summary>HTTP/1.1 requests one after the other.</summary>
    /// <param name="Requests">What is sent, by destination: one for each, or the same for all.</param>
    /// <param name="ToHead">The method is HEAD.</param>
    /// <param name="Expected">Statuses that count as completed.</param>
    /// <param name="Pace">When requests are sent.</param>
    public sealed record Http(ImmutableArray<byte[]> Requests, bool ToHead, ImmutableArray<PortSpan> Expected, RequestPace Pace) : WorkloadPlan;

    /// <summary>Messages that are to come back.</summary>
    /// <param name="Size">Bytes of each, 1 to 1 MiB.</param>
    /// <param name="Pace">When messages are sent.</param>
    public sealed record Echo(int Size, RequestPace Pace) : WorkloadPlan;
}

/// <summary>Connections of one kind among others.</summary>
/// <param name="Weight">1 or above.</param>
/// <param name="Plan">What they do.</param>
public sealed record WorkloadShare(int Weight, WorkloadPlan Plan);

/// <summary>When the requests of a connection are sent, and how long they may take.</summary>
/// <param name="Load">When.</param>
/// <param name="Timeout">From the start of sending to the end of the response; above zero.</param>
/// <param name="PerConnection">The connection is closed after so many; 0: never.</param>
public sealed record RequestPace(RequestLoad Load, TimeSpan Timeout, long PerConnection);

/// <summary>A load model of requests.</summary>
public abstract record RequestLoad
{
    private RequestLoad()
    {
    }

    /// <summary>At a rate that the goal gives, independent of answers.</summary>
    public sealed record Open : RequestLoad;

    /// <summary>So long after an answer the next; may be zero.</summary>
    public sealed record Closed(TimeSpan ThinkTime) : RequestLoad;

    /// <summary>Each connection in a period of its own, spread evenly over all of them; above zero.</summary>
    public sealed record Heartbeat(TimeSpan Every) : RequestLoad;
}
