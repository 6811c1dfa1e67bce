using System.Collections;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Assignments;

/// <summary>How many tuples a block has: its ports that may be bound, times the destinations of its family.</summary>
internal sealed class BlockCapacity
{
    private readonly BitArray _excluded = new(65536);
    private readonly long _destinationsV4;
    private readonly long _destinationsV6;

    public BlockCapacity(IReadOnlyCollection<(IpAddress Address, int Port)> destinations)
    {
        _excluded[0] = true;
        _destinationsV6 = destinations.Count(d => d.Address.IsV6);
        _destinationsV4 = destinations.Count - _destinationsV6;
    }

    /// <summary>Takes ports out of every block.</summary>
    public void Exclude(IEnumerable<PortSpan> ports)
    {
        foreach (var span in ports)
        {
            for (var port = span.First; port <= span.Last; port++)
                _excluded[port] = true;
        }
    }

    /// <summary>Tuples of one block.</summary>
    public long TuplesOf((IpAddress Source, int FirstPort) block)
    {
        var ports = 0L;
        for (var port = block.FirstPort; port < block.FirstPort + BlockRange.PortsPerBlock; port++)
            ports += _excluded[port] ? 0 : 1;
        return ports * (block.Source.IsV6 ? _destinationsV6 : _destinationsV4);
    }
}
