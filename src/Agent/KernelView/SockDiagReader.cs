using System.Collections.Immutable;
using LoadHarness.Agent.Interop;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Interop.Netlink;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.KernelView;

/// <summary>
/// Counts the client ends of the connections to a scope's destinations, or the server ends on its ports, out of a NETLINK_SOCK_DIAG dump.
/// Nothing is allocated per socket. Used by one thread at a time.
/// </summary>
public sealed class SockDiagReader
{
    /// <summary>Destinations are counted one by one up to this many, then by address, and not at all when the addresses are more.</summary>
    public const int MostDestinations = 4096;

    // Everything but LISTEN: a listener has no peer and is no connection.
    private const uint DumpedStates = ((1u << ((int)TcpState.NewSynRecv + 1)) - 1) & ~(1u << (int)TcpState.Listen) & ~1u;
    private const int Attempts = 3;

    private readonly DestinationSet _destinations;
    private readonly OwnedBlocks _owned;
    private readonly byte[]? _bytecode;
    private readonly bool _matchHere;
    private readonly ImmutableArray<PortSpan> _localPorts;
    private readonly DestinationDetail _detail;
    private readonly EndpointTable _bySource;
    private readonly EndpointTable _byDestination;
    private readonly EndpointCounts _all = new(default);

    /// <summary>Prepares the filter.</summary>
    public SockDiagReader(KernelViewScope scope)
    {
        _destinations = DestinationSet.Of(scope.Destinations);
        _owned = new OwnedBlocks(scope.Owned);
        _localPorts = scope.ListeningPorts;
        _detail = DetailOf(_destinations);
        _bySource = new(MakeSource);
        _byDestination = new(endpoint => new EndpointCounts(endpoint));
        _bytecode = _localPorts.IsEmpty
            ? SockDiagFilter.Compile(_destinations, out var exact)
            : SockDiagFilter.CompileLocal(_localPorts, out exact);
        _matchHere = !exact;
    }

    private enum DestinationDetail
    {
        Endpoints,
        Addresses,
        None,
    }

    /// <summary>Connections of the run per state, at the last successful <see cref="Read"/>.</summary>
    public StateCounts States => _all.States;

    /// <summary>Connections of the run per source (port 0) and state; empty for the server ends.</summary>
    public ImmutableDictionary<EndpointAddress, StateCounts> BySource => _bySource.Counts;

    /// <summary>Likewise per destination, or per address of the destinations with port 0, or empty when even these are too many.</summary>
    public ImmutableDictionary<EndpointAddress, StateCounts> ByDestination => _byDestination.Counts;

    /// <summary>
    /// Live sockets (not TIME-WAIT) to the destinations from outside the blocks, at the last successful <see cref="Read"/>.
    /// </summary>
    public long Foreign { get; private set; }

    /// <summary>Dumps and counts. When it fails, what was counted so far is half the truth and not to be used.</summary>
    public SysResult Read()
    {
        for (var attempt = 1; ; attempt++)
        {
            _all.Clear();
            _bySource.Clear();
            _byDestination.Clear();
            Foreign = 0;
            if (_bytecode is null)
                return default;
            var counter = new Counter(this);
            var result = SockDiagDump.Run(DumpedStates, _bytecode, ref counter);
            if (result.Errno != Errno.EINTR || attempt == Attempts)
                return result;
        }
    }

    private static DestinationDetail DetailOf(DestinationSet destinations)
    {
        if (destinations.EndpointCount <= MostDestinations)
            return DestinationDetail.Endpoints;
        return destinations.AddressCount <= MostDestinations ? DestinationDetail.Addresses : DestinationDetail.None;
    }

    private EndpointCounts MakeSource(EndpointAddress source) => new(source)
    {
        OwnedGroups = _owned.GroupsOf(source.Address),
        TargetPorts = _destinations.PortsOf(source.Address),
    };

    private void Count(in InetDiagMessage socket)
    {
        if (!_localPorts.IsEmpty)
        {
            if (!_matchHere || DestinationSet.ContainsPort(_localPorts.AsSpan(), socket.SourcePort))
                _all.Count(socket.State);
            return;
        }

        if (_matchHere && !_destinations.Contains(socket.Destination.ToIpAddress(), socket.DestinationPort))
            return;
        var port = socket.SourcePort;
        var source = _bySource.Find(socket.Source, 0);
        // The server's end of a connection whose client port happens to be one of the target's.
        if (!source.TargetPorts.IsEmpty && DestinationSet.ContainsPort(source.TargetPorts.AsSpan(), port))
            return;
        if (!OwnedBlocks.IsOwned(source.OwnedGroups, port))
        {
            Foreign += socket.State == TcpState.TimeWait ? 0 : 1;
            return;
        }

        _all.Count(socket.State);
        source.Count(socket.State);
        if (_detail != DestinationDetail.None)
            _byDestination.Find(socket.Destination, _detail == DestinationDetail.Endpoints ? socket.DestinationPort : 0).Count(socket.State);
    }

    private readonly struct Counter(SockDiagReader reader) : ISocketVisitor
    {
        public void Visit(in InetDiagMessage socket) => reader.Count(in socket);
    }
}
