using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Backend;

/// <summary>What the accepting side is to do.</summary>
public sealed record BackendOptions
{
    /// <summary>Addresses and ports to listen on; at least one.</summary>
    public required ImmutableArray<(IpAddress Address, int Port)> Listen { get; init; }

    /// <summary>Answer HTTP/1.1 requests with a small 200.</summary>
    public bool Http { get; init; }

    /// <summary>Send back what comes. With <see cref="Http"/> too, connections whose first byte is a capital letter are HTTP.</summary>
    public bool Echo { get; init; }

    /// <summary>Send one byte after accept, so that the other end knows that it was accepted.</summary>
    public bool Greet { get; init; }

    /// <summary>Reactors that accept at a time while they get their cores: one for each. More are started when these fill up.</summary>
    public int Reactors { get; init; } = Environment.ProcessorCount;

    /// <summary>At most this many connections in one reactor; its descriptor table sets a bound of its own.</summary>
    public int ConnectionsPerReactor { get; init; } = int.MaxValue;
}

/// <summary>What the accepting side has seen so far.</summary>
/// <param name="Established">Connections open now.</param>
/// <param name="Accepted">Connections accepted.</param>
/// <param name="Closed">Connections that have ended.</param>
/// <param name="Requests">HTTP requests answered.</param>
/// <param name="Refused">Turns in which no descriptor was left to accept with.</param>
/// <param name="Reactors">Reactors that run.</param>
public readonly record struct BackendCounts(long Established, long Accepted, long Closed, long Requests, long Refused, int Reactors);

/// <summary>An endpoint that cannot be listened on.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Port">Its port.</param>
/// <param name="Message">Why not, and what to do about it.</param>
public sealed record ListenProblem(IpAddress Address, int Port, string Message);
