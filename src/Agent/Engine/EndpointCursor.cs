using System.Collections;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// Hands out the tuples of a reactor's blocks so that all destinations fill evenly, then all sources; finding one costs
/// O(1) however full the space is. Fresh tuples come first, then those given back unused, then those that have rested.
/// <para>
/// A unit is one source address with one port; unit u of a batch of B blocks is port u / B of block u mod B. Destinations are
/// taken in groups of up to 128: all of a group on one unit, since a unit that was just bound is cheapest to bind again, and
/// not more, since bind() is linear in the sockets on one unit. Units and groups are paired along diagonals: step k takes unit
/// k mod U and group (k + k / lcm(U, G)) mod G, which meets every pair once and moves both on together.
/// </para>
/// </summary>
public sealed class EndpointCursor : IDisposable
{
    private const int LargestGroup = 128;
    private const long StampNanos = 1L << 26; // 67 ms: the resolution of resting

    private readonly SocketAddress[] _destinations;
    private readonly IpAddress[] _destinationAddresses;
    private readonly BitArray _excludedPorts = new(65536);
    private readonly List<Segment> _segments = [];
    private readonly TupleQueue _unused = new();
    private readonly TupleQueue _resting = new();
    private readonly uint _restStamps;
    private long _tuples;
    private long _taken;

    /// <summary>A cursor without blocks.</summary>
    /// <param name="destinations">1 to 65,536 address and port pairs.</param>
    /// <param name="excludedPorts">Source ports never to use.</param>
    /// <param name="rest">How long a tuple rests after its connection ended; zero to reuse it at once.</param>
    public EndpointCursor(IReadOnlyList<(IpAddress Address, int Port)> destinations, IEnumerable<PortSpan> excludedPorts, TimeSpan rest)
    {
        if (destinations.Count is 0 or > ushort.MaxValue + 1)
            throw new ArgumentException($"{destinations.Count} destinations; allowed are 1 to 65,536", nameof(destinations));
        _destinations = [.. destinations.Select(d => new SocketAddress(d.Address, d.Port))];
        _destinationAddresses = [.. destinations.Select(d => d.Address)];
        _excludedPorts[0] = true;
        foreach (var span in excludedPorts)
        {
            for (var port = span.First; port <= span.Last; port++)
                _excludedPorts[port] = true;
        }

        _restStamps = (uint)(rest.Ticks * 100 / StampNanos);
    }

    /// <summary>Tuples that rest.</summary>
    public int Resting => _resting.Count;

    /// <summary>Tuples that could be taken now or after their rest, less those that rest.</summary>
    public long Free => Math.Max(0, _tuples - _taken - _resting.Count);

    /// <summary>All tuples of all blocks.</summary>
    public long Total => _tuples;

    /// <summary>Adds blocks: each a source with up to 256 ports from a multiple of 256 on.</summary>
    public void Add(IReadOnlyList<(IpAddress Source, int FirstPort)> blocks)
    {
        if (blocks.Count == 0)
            return;
        var firstUnit = _segments.Count == 0 ? 0 : _segments[^1].EndUnit;
        var segment = new Segment(firstUnit, [.. blocks.Select(b => new SocketAddress(b.Source, 0))], [.. blocks.Select(b => b.FirstPort)], _destinations.Length);
        _segments.Add(segment);
        foreach (var (source, firstPort) in blocks)
            _tuples += CountTuples(source, new PortSpan(firstPort, firstPort + BlockRange.PortsPerBlock - 1));
    }

    /// <summary>Takes a tuple; it stays taken until it is given back.</summary>
    /// <param name="nowNanos">Any clock that counts evenly, the same in all calls.</param>
    /// <param name="tuple">The tuple.</param>
    /// <returns>False when every tuple is live or rests.</returns>
    public bool TryTake(long nowNanos, out EndpointTuple tuple)
    {
        if (TryTakeFresh(out tuple) || TryTakeFrom(_unused, out tuple))
        {
            _taken++;
            return true;
        }

        if (_resting.Count > 0 && Stamp(nowNanos) - _resting.OldestStamp >= _restStamps && TryTakeFrom(_resting, out tuple))
        {
            _taken++;
            return true;
        }

        return false;
    }

    /// <summary>Gives back a tuple whose connection was never established: the kernel keeps nothing of it.</summary>
    public void ReturnUnused(EndpointTuple tuple)
    {
        _taken--;
        _unused.Enqueue(tuple, 0);
    }

    /// <summary>Gives back a tuple whose connection has ended, or which the kernel says is taken: it rests.</summary>
    public void ReturnToRest(EndpointTuple tuple, long nowNanos)
    {
        _taken--;
        if (_restStamps == 0)
            _unused.Enqueue(tuple, 0);
        else
            _resting.Enqueue(tuple, Stamp(nowNanos));
    }

    /// <summary>Gives up the source and port of a taken tuple, for all destinations: a foreign socket holds it.</summary>
    public void Drop(EndpointTuple tuple)
    {
        var segment = SegmentOf(tuple.Unit);
        segment.Dropped[tuple.Unit - segment.FirstUnit] = true;
        _taken--;
        var port = segment.PortOf(tuple.Unit);
        _tuples -= CountTuples(segment.AddressOf(tuple.Unit), new PortSpan(port, port));
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

    private bool TryTakeFrom(TupleQueue queue, out EndpointTuple tuple)
    {
        while (queue.Count > 0)
        {
            tuple = queue.Dequeue();
            var segment = SegmentOf(tuple.Unit);
            if (!segment.Dropped[tuple.Unit - segment.FirstUnit])
                return true;
        }

        tuple = default;
        return false;
    }

    private bool IsUsable(Segment segment, EndpointTuple tuple)
    {
        var port = segment.PortOf(tuple.Unit);
        return !_excludedPorts[port]
            && !segment.Dropped[tuple.Unit - segment.FirstUnit]
            && IsPair(segment.AddressOf(tuple.Unit), port, tuple.Destination);
    }

    // Families must match, and a source that equals its destination would connect to itself.
    private bool IsPair(IpAddress source, int port, int destination) =>
        source.IsV6 == _destinationAddresses[destination].IsV6
        && !(port == _destinations[destination].Port && source == _destinationAddresses[destination]);

    private long CountTuples(IpAddress source, PortSpan ports)
    {
        long usablePorts = 0, ofFamily = 0, withItself = 0;
        for (var port = ports.First; port <= ports.Last; port++)
            usablePorts += _excludedPorts[port] ? 0 : 1;
        for (var d = 0; d < _destinations.Length; d++)
        {
            ofFamily += source.IsV6 == _destinationAddresses[d].IsV6 ? 1 : 0;
            var port = _destinations[d].Port;
            withItself += source == _destinationAddresses[d] && ports.Contains(port) && !_excludedPorts[port] ? 1 : 0;
        }

        return (usablePorts * ofFamily) - withItself;
    }

    private Segment SegmentOf(int unit)
    {
        foreach (var segment in _segments)
        {
            if (unit < segment.EndUnit)
                return segment;
        }

        throw new ArgumentOutOfRangeException(nameof(unit), unit, "no such unit");
    }

    // Blocks that came in one assignment, enumerated together.
    private sealed class Segment
    {
        private readonly SocketAddress[] _sources;
        private readonly IpAddress[] _addresses;
        private readonly int[] _firstPorts;
        private readonly int _units;
        private readonly int _destinations;
        private readonly int _groups;
        private readonly long _diagonal;
        private long _untilShift;
        private long _pairsLeft;
        private int _unit;
        private int _group;
        private int _destination;

        public Segment(int firstUnit, SocketAddress[] sources, int[] firstPorts, int destinations)
        {
            FirstUnit = firstUnit;
            _sources = sources;
            _addresses = [.. sources.Select(s => s.Address)];
            _firstPorts = firstPorts;
            _units = sources.Length * BlockRange.PortsPerBlock;
            _destinations = destinations;
            _groups = (destinations + LargestGroup - 1) / LargestGroup;
            _diagonal = (long)_units / Gcd(_units, _groups) * _groups;
            _untilShift = _diagonal;
            _pairsLeft = (long)_units * _groups;
            Dropped = new BitArray(_units);
        }

        public int FirstUnit { get; }

        public int EndUnit => FirstUnit + _units;

        public BitArray Dropped { get; }

        public int PortOf(int unit)
        {
            var (port, block) = Math.DivRem(unit - FirstUnit, _sources.Length);
            return _firstPorts[block] + port;
        }

        public IpAddress AddressOf(int unit) => _addresses[(unit - FirstUnit) % _sources.Length];

        public SocketAddress SourceOf(int unit)
        {
            var (port, block) = Math.DivRem(unit - FirstUnit, _sources.Length);
            var source = _sources[block];
            source.Port = _firstPorts[block] + port;
            return source;
        }

        public bool TryNext(out EndpointTuple tuple)
        {
            if (_pairsLeft == 0)
            {
                tuple = default;
                return false;
            }

            tuple = new(FirstUnit + _unit, (ushort)_destination);
            if (++_destination == EndOfGroup)
                NextPair();
            return true;
        }

        private int EndOfGroup => Math.Min(_destinations, (_group + 1) * LargestGroup);

        private void NextPair()
        {
            _pairsLeft--;
            if (++_unit == _units)
                _unit = 0;
            _group++;
            if (--_untilShift == 0)
            {
                _untilShift = _diagonal;
                _group++;
            }

            _group %= _groups;
            _destination = _group * LargestGroup;
        }

        private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
    }
}
