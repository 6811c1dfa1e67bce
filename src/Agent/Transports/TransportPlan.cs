using LoadHarness.Protos;

namespace LoadHarness.Agent.Transports;

/// <summary>What carries the connections of a run; see assignment.proto.</summary>
/// <param name="Tls">Null: plain TCP.</param>
/// <param name="Proxy">Null: no PROXY header.</param>
/// <param name="Socket">Null: sockets as the kernel makes them.</param>
public sealed record TransportPlan(TlsPlan? Tls, ProxyPlan? Proxy, SocketOptions? Socket)
{
    /// <summary>TCP and nothing more.</summary>
    public static readonly TransportPlan Plain = new(null, null, null);
}

/// <summary>The PROXY header.</summary>
/// <param name="Version">V1 or V2.</param>
/// <param name="Clients">Who is said to connect; null: who does.</param>
public sealed record ProxyPlan(ProxyProtocol Version, IpRange? Clients);
