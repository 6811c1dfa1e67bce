using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.KernelView;

/// <summary>One source or destination with its sockets per state, and what is asked of each socket that has it.</summary>
internal sealed class EndpointCounts(EndpointAddress endpoint)
{
    private readonly long[] _states = new long[(int)TcpState.NewSynRecv + 1];

    /// <summary>Which.</summary>
    public EndpointAddress Endpoint { get; } = endpoint;

    /// <summary>Of a source: the groups of 256 ports that the run owns; null when none.</summary>
    public ulong[]? OwnedGroups { get; init; }

    /// <summary>Of a source: ports of this address that are destinations too.</summary>
    public ImmutableArray<PortSpan> TargetPorts { get; init; } = [];

    /// <summary>The present counts.</summary>
    public StateCounts States => StateCounts.Of(_states);

    /// <summary>Whether there is a socket.</summary>
    public bool IsAny => _states.AsSpan().ContainsAnyExcept(0);

    /// <summary>One socket more.</summary>
    public void Count(TcpState state)
    {
        if ((uint)state < (uint)_states.Length)
            _states[(int)state]++;
    }

    /// <summary>Back to no socket.</summary>
    public void Clear() => Array.Clear(_states);
}
