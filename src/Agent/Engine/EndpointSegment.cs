using System.Collections;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// Blocks that came in one assignment, enumerated together. Unit u of B blocks is port u / B of block u mod B. Destinations
/// are taken in G groups of nearly the same size, at most 128: all of a group on one unit, since a unit that was just bound is
/// cheapest to bind again, and not more, since bind() is linear in the sockets on one unit. Units and groups are paired along
/// diagonals: step k takes unit k mod U and group (k + k / lcm(U, G)) mod G, which meets every pair once and moves both on together.
/// </summary>
internal sealed class EndpointSegment
{
    private const int LargestGroup = 128;

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
    private int _endOfGroup;

    /// <summary>Blocks as sources with port 0, and their first ports.</summary>
    public EndpointSegment(int firstUnit, SocketAddress[] sources, int[] firstPorts, int destinations)
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
        _endOfGroup = BeginOf(1);
        Closed = new BitArray(_units);
        Busy = new int[_units];
        Pauses = new BlockPause[sources.Length];
    }

    /// <summary>The lowest unit.</summary>
    public int FirstUnit { get; }

    /// <summary>One more than the highest unit.</summary>
    public int EndUnit => FirstUnit + _units;

    /// <summary>Units that are given up for good, counted from <see cref="FirstUnit"/>.</summary>
    public BitArray Closed { get; }

    /// <summary>Live and resting tuples of each unit, counted from <see cref="FirstUnit"/>.</summary>
    public int[] Busy { get; }

    /// <summary>Why nothing new is taken of a block.</summary>
    public BlockPause[] Pauses { get; }

    /// <summary>How many blocks.</summary>
    public int Blocks => _sources.Length;

    /// <summary>The unit of a block's port, or -1 when the block does not have it.</summary>
    public int UnitOf(int block, int port)
    {
        var offset = port - _firstPorts[block];
        return offset is >= 0 and < BlockRange.PortsPerBlock ? FirstUnit + (offset * Blocks) + block : -1;
    }

    /// <summary>The block that a source has from a port on, or -1.</summary>
    public int BlockOf(IpAddress source, int firstPort)
    {
        for (var block = 0; block < Blocks; block++)
        {
            if (_firstPorts[block] == firstPort && _addresses[block] == source && (Pauses[block] & BlockPause.GivenBack) == 0)
                return block;
        }

        return -1;
    }

    /// <summary>Source address of a block.</summary>
    public IpAddress AddressOfBlock(int block) => _addresses[block];

    /// <summary>First port of a block.</summary>
    public int FirstPortOf(int block) => _firstPorts[block];

    /// <summary>Why nothing new is taken of a unit.</summary>
    public BlockPause PauseOf(int unit) => Pauses[(unit - FirstUnit) % Blocks];

    /// <summary>Source port of a unit.</summary>
    public int PortOf(int unit)
    {
        var (port, block) = Math.DivRem(unit - FirstUnit, _sources.Length);
        return _firstPorts[block] + port;
    }

    /// <summary>Source address of a unit.</summary>
    public IpAddress AddressOf(int unit) => _addresses[(unit - FirstUnit) % _sources.Length];

    /// <summary>The unit that a destination meets at a step, when each goes its own way: groups begin apart from each other.</summary>
    /// <param name="step">From 0.</param>
    /// <param name="destination">Which one.</param>
    public int UnitAt(int step, int destination)
    {
        var begin = (long)(destination / LargestGroup) * _units / _groups;
        return FirstUnit + (int)((step + begin) % _units);
    }

    /// <summary>What to bind for a unit.</summary>
    public SocketAddress SourceOf(int unit)
    {
        var (port, block) = Math.DivRem(unit - FirstUnit, _sources.Length);
        var source = _sources[block];
        source.Port = _firstPorts[block] + port;
        return source;
    }

    /// <summary>The next pair of a unit and a destination, usable or not; false when all have been given.</summary>
    public bool TryNext(out EndpointTuple tuple)
    {
        if (_pairsLeft == 0)
        {
            tuple = default;
            return false;
        }

        tuple = new(FirstUnit + _unit, (ushort)_destination);
        if (++_destination == _endOfGroup)
            NextPair();
        return true;
    }

    private int BeginOf(int group) => (int)((long)group * _destinations / _groups);

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
        _destination = BeginOf(_group);
        _endOfGroup = BeginOf(_group + 1);
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);
}
