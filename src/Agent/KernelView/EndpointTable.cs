using System.Collections.Immutable;
using LoadHarness.Agent.Interop.Netlink;
using LoadHarness.Protos;

namespace LoadHarness.Agent.KernelView;

/// <summary>
/// Sources or destinations with their counts, kept from reading to reading. Finding one costs a few instructions while they are few: the
/// newest of each hash stands in front of the dictionary. Nothing is allocated for one that is known.
/// </summary>
/// <param name="make">Makes the entry of an endpoint that was not seen yet.</param>
internal sealed class EndpointTable(Func<EndpointAddress, EndpointCounts> make)
{
    private const int Slots = 2048;

    // Addresses come and go over a long run: those that have no socket any more are forgotten beyond this.
    private const int MostKept = 65_536;

    private readonly Slot[] _front = new Slot[Slots];
    private readonly Dictionary<(AddressBits Address, int Port), EndpointCounts> _all = [];

    /// <summary>Those that have sockets.</summary>
    public ImmutableDictionary<EndpointAddress, StateCounts> Counts =>
        _all.Values.Where(e => e.IsAny).ToImmutableDictionary(e => e.Endpoint, e => e.States);

    /// <summary>The counts of an endpoint.</summary>
    public EndpointCounts Find(in AddressBits address, int port)
    {
        // Addresses of a run differ in their last bytes, which are the highest bits.
        var hash = ((address.Second ^ address.First ^ ((ulong)port << 40)) * 0x9E3779B97F4A7C15) >> 53;
        ref var slot = ref _front[hash];
        if (slot.Counts is { } counts && slot.Second == address.Second && slot.Port == port && slot.First == address.First)
            return counts;
        return FindBehind(address, port, ref slot);
    }

    /// <summary>Back to no socket anywhere.</summary>
    public void Clear()
    {
        if (_all.Count > MostKept)
        {
            _all.Clear();
            Array.Clear(_front);
        }

        foreach (var counts in _all.Values)
            counts.Clear();
    }

    private EndpointCounts FindBehind(in AddressBits address, int port, ref Slot slot)
    {
        if (!_all.TryGetValue((address, port), out var counts))
        {
            counts = make(new(address.ToIpAddress(), port));
            _all.Add((address, port), counts);
        }

        slot = new(address.First, address.Second, port, counts);
        return counts;
    }

    private readonly record struct Slot(ulong First, ulong Second, int Port, EndpointCounts? Counts);
}
