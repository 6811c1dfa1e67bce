using System.Collections;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// Hands out the tuples of a reactor's blocks so that all destinations fill evenly, or by their weights, then all sources; finding
/// one costs O(1) however full the space is. Fresh tuples come first, then those given back unused, then those that have rested.
/// <para>
/// A unit is one source address with one port; <see cref="EndpointSegment"/> says in which order they are met with the
/// destinations.
/// </para>
/// </summary>
public sealed partial class EndpointCursor : IDisposable
{
    private const long StampNanos = 1L << 26; // 67 ms: the resolution of resting

    // TCP_TIMEWAIT_LEN in include/net/tcp.h.
    private static readonly TimeSpan _timeWait = TimeSpan.FromSeconds(60);

    private readonly SocketAddress[] _destinations;
    private readonly IpAddress[] _destinationAddresses;
    private readonly Dictionary<(IpAddress, int), int> _destinationCounts = [];
    private readonly int _destinationsV6;
    private readonly BitArray _excludedPorts = new(65536);
    private readonly List<EndpointSegment> _segments = [];
    private readonly TupleQueue _unused = new();
    private readonly TupleQueue _resting = new();
    private readonly bool _endedRest;
    private readonly uint _restStamps;

    // Of units that are open in blocks that are not paused: all tuples, and those that live or rest.
    private long _tuples;
    private long _busy;

    /// <summary>A cursor without blocks.</summary>
    /// <param name="destinations">1 to 65,536 address and port pairs.</param>
    /// <param name="excludedPorts">Source ports never to use.</param>
    /// <param name="rest">How long a tuple rests after its connection ended; zero to reuse it at once.</param>
    /// <param name="weights">How many connections each destination gets beside the others, at least 1; null or all the same: evenly.</param>
    public EndpointCursor(
        IReadOnlyList<(IpAddress Address, int Port)> destinations, IEnumerable<PortSpan> excludedPorts, TimeSpan rest, IReadOnlyList<int>? weights = null)
    {
        if (destinations.Count is 0 or > ushort.MaxValue + 1)
            throw new ArgumentException($"{destinations.Count} destinations; allowed are 1 to 65,536", nameof(destinations));
        _destinations = [.. destinations.Select(d => new SocketAddress(d.Address, d.Port))];
        _destinationAddresses = [.. destinations.Select(d => d.Address)];
        _destinationsV6 = destinations.Count(d => d.Address.IsV6);
        foreach (var destination in destinations)
            _destinationCounts[destination] = _destinationCounts.GetValueOrDefault(destination) + 1;
        _excludedPorts[0] = true;
        Exclude(excludedPorts);
        _endedRest = rest > TimeSpan.Zero;
        // Rounded up, and one more since a stamp is the beginning of its span: no tuple rests for less.
        _restStamps = (uint)(((_endedRest ? rest : _timeWait).Ticks * 100 / StampNanos) + 2);
        if (weights is not null && weights.Distinct().Skip(1).Any())
            _weighted = new WeightedOrder(weights);
    }

    /// <summary>Tuples that rest; see <see cref="EndRests"/>.</summary>
    public int Resting => _resting.Count;

    /// <summary>Tuples that could be taken now.</summary>
    public long Free => _tuples - _busy;

    /// <summary>Tuples of all blocks, without those of ports that were given up and of blocks in which nothing new is opened.</summary>
    public long Total => _tuples;

    /// <summary>Adds blocks: each a source with up to 256 ports from a multiple of 256 on.</summary>
    public void Add(IReadOnlyList<(IpAddress Source, int FirstPort)> blocks)
    {
        if (blocks.Count == 0)
            return;
        var firstUnit = _segments.Count == 0 ? 0 : _segments[^1].EndUnit;
        var segment = new EndpointSegment(firstUnit, [.. blocks.Select(b => new SocketAddress(b.Source, 0))], [.. blocks.Select(b => b.FirstPort)], _destinations.Length);
        _segments.Add(segment);
        for (var unit = segment.FirstUnit; unit < segment.EndUnit; unit++)
        {
            if (_excludedPorts[segment.PortOf(unit)])
                segment.Closed[unit - segment.FirstUnit] = true;
            else
                _tuples += PairsOf(segment, unit);
        }

        _weighted?.Readmit();
    }

    /// <summary>Gives up source ports; what is live on them stays.</summary>
    public void Exclude(IEnumerable<PortSpan> ports)
    {
        foreach (var span in ports)
        {
            for (var port = span.First; port <= span.Last; port++)
            {
                if (_excludedPorts[port])
                    continue;
                _excludedPorts[port] = true;
                foreach (var segment in _segments)
                    ClosePort(segment, port);
            }
        }
    }

    /// <summary>Takes a tuple; it stays taken until it is given back.</summary>
    /// <param name="nowNanos">Any clock that counts evenly, the same in all calls.</param>
    /// <param name="tuple">The tuple.</param>
    /// <returns>False when every tuple is live or rests.</returns>
    public bool TryTake(long nowNanos, out EndpointTuple tuple)
    {
        var found = (_weighted is null ? TryTakeFresh(out tuple) : TryTakeWeighted(_weighted, out tuple)) || TryTakeUnused(out tuple);
        if (!found)
        {
            EndRests(nowNanos);
            found = TryTakeUnused(out tuple);
        }

        if (found)
        {
            var segment = SegmentOf(tuple.Unit);
            segment.Busy[tuple.Unit - segment.FirstUnit]++;
            _busy++;
        }

        return found;
    }

    /// <summary>Counts those as free again that have rested.</summary>
    /// <param name="nowNanos">As for <see cref="TryTake"/>.</param>
    public void EndRests(long nowNanos)
    {
        while (_resting.Count > 0 && Stamp(nowNanos) - _resting.OldestStamp >= _restStamps)
            ReturnUnused(_resting.Dequeue());
    }

    /// <summary>Gives back a tuple whose connection was never established: the kernel keeps nothing of it.</summary>
    public void ReturnUnused(EndpointTuple tuple)
    {
        var segment = SegmentOf(tuple.Unit);
        segment.Busy[tuple.Unit - segment.FirstUnit]--;
        if (segment.Closed[tuple.Unit - segment.FirstUnit])
            return;
        if (segment.PauseOf(tuple.Unit) != BlockPause.None)
        {
            _setAside.Enqueue(tuple, 0);
            return;
        }

        _busy--;
        _unused.Enqueue(tuple, 0);
    }

    /// <summary>Gives back a tuple whose connection has ended: it rests as long as was said.</summary>
    public void ReturnEnded(EndpointTuple tuple, long nowNanos)
    {
        if (_endedRest)
            ReturnToRest(tuple, nowNanos);
        else
            ReturnUnused(tuple);
    }

    /// <summary>
    /// Gives back a tuple that the kernel says is taken: it rests in any case, for as long as TIME-WAIT lasts when ended connections
    /// do not rest.
    /// </summary>
    public void ReturnToRest(EndpointTuple tuple, long nowNanos) => _resting.Enqueue(tuple, Stamp(nowNanos));

    /// <summary>Gives up the source and port of a taken tuple, for all destinations: a foreign socket holds it.</summary>
    public void Drop(EndpointTuple tuple)
    {
        var segment = SegmentOf(tuple.Unit);
        Close(segment, tuple.Unit);
        segment.Busy[tuple.Unit - segment.FirstUnit]--;
    }

    /// <summary>Address and port to bind to.</summary>
    public SocketAddress Source(EndpointTuple tuple) => SegmentOf(tuple.Unit).SourceOf(tuple.Unit);

    /// <summary>Address and port to connect to.</summary>
    public ref readonly SocketAddress Destination(EndpointTuple tuple) => ref _destinations[tuple.Destination];

    /// <inheritdoc/>
    public void Dispose()
    {
        _unused.Dispose();
        _resting.Dispose();
        _setAside.Dispose();
    }

    private static uint Stamp(long nowNanos) => (uint)(nowNanos / StampNanos);

    private bool TryTakeFresh(out EndpointTuple tuple)
    {
        foreach (var segment in _segments)
        {
            while (segment.TryNext(out tuple))
            {
                if (IsUsable(segment, tuple))
                    return true;
            }
        }

        tuple = default;
        return false;
    }

    private bool TryTakeUnused(out EndpointTuple tuple)
    {
        while (_unused.Count > 0)
        {
            tuple = _unused.Dequeue();
            if (IsOpen(SegmentOf(tuple.Unit), tuple))
                return true;
        }

        tuple = default;
        return false;
    }

    private bool IsUsable(EndpointSegment segment, EndpointTuple tuple) =>
        IsPair(segment.AddressOf(tuple.Unit), segment.PortOf(tuple.Unit), tuple.Destination) && IsOpen(segment, tuple);

    // What is only paused may be wanted again.
    private bool IsOpen(EndpointSegment segment, EndpointTuple tuple)
    {
        if (segment.Closed[tuple.Unit - segment.FirstUnit])
            return false;
        if (segment.PauseOf(tuple.Unit) == BlockPause.None)
            return true;
        _setAside.Enqueue(tuple, 0);
        return false;
    }

    // Families must match, and a source that equals its destination would connect to itself.
    private bool IsPair(IpAddress source, int port, int destination) =>
        source.IsV6 == _destinationAddresses[destination].IsV6
        && !(port == _destinations[destination].Port && source == _destinationAddresses[destination]);

    private long PairsOf(EndpointSegment segment, int unit)
    {
        var source = segment.AddressOf(unit);
        return (source.IsV6 ? _destinationsV6 : _destinations.Length - _destinationsV6)
            - _destinationCounts.GetValueOrDefault((source, segment.PortOf(unit)));
    }

    private void ClosePort(EndpointSegment segment, int port)
    {
        for (var block = 0; block < segment.Blocks; block++)
        {
            var unit = segment.UnitOf(block, port);
            if (unit >= 0)
                Close(segment, unit);
        }
    }

    private void Close(EndpointSegment segment, int unit)
    {
        if (segment.Closed[unit - segment.FirstUnit])
            return;
        if (segment.PauseOf(unit) == BlockPause.None)
            CountUnit(segment, unit, -1);
        segment.Closed[unit - segment.FirstUnit] = true;
    }

    private void CountUnit(EndpointSegment segment, int unit, int sign)
    {
        _tuples += sign * PairsOf(segment, unit);
        _busy += sign * segment.Busy[unit - segment.FirstUnit];
    }

    private EndpointSegment SegmentOf(int unit)
    {
        foreach (var segment in _segments)
        {
            if (unit < segment.EndUnit)
                return segment;
        }

        throw new ArgumentOutOfRangeException(nameof(unit), unit, "no such unit");
    }
}
