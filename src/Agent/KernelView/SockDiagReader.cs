using System.Collections.Immutable;
using System.Net.Sockets;
using System.Runtime.InteropServices;
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
    // Everything but LISTEN: a listener has no peer and is no connection.
    private const uint States = ((1u << ((int)TcpState.NewSynRecv + 1)) - 1) & ~(1u << (int)TcpState.Listen) & ~1u;
    private const int Attempts = 3;

    private readonly DestinationSet _destinations;
    private readonly OwnedBlocks _owned;
    private readonly (AddressFamily Family, byte[] Bytecode)[] _dumps;
    private readonly bool _matchHere;
    private readonly ImmutableArray<PortSpan> _localPorts;
    private readonly long[] _states = new long[(int)TcpState.NewSynRecv + 1];
    private readonly Dictionary<IpAddress, long> _establishedBySource = [];

    /// <summary>Prepares the filters.</summary>
    public SockDiagReader(KernelViewScope scope)
    {
        _destinations = DestinationSet.Of(scope.Destinations);
        _owned = new OwnedBlocks(scope.Owned);
        _localPorts = scope.ListeningPorts;
        if (!_localPorts.IsEmpty)
        {
            var local = SockDiagFilter.CompileLocal(_localPorts, out var localExact);
            _matchHere = !localExact;
            _dumps = [(AddressFamily.InterNetwork, local), (AddressFamily.InterNetworkV6, local)];
            return;
        }

        var v4 = SockDiagFilter.Compile(_destinations, v6Sockets: false, out var v4Exact);
        var v6 = SockDiagFilter.Compile(_destinations, v6Sockets: true, out var v6Exact);
        _matchHere = !v4Exact || !v6Exact;
        // IPv4 destinations need both: a program may reach them from an IPv6 socket through an IPv4-mapped address.
        _dumps = v4 is null ? [] : [(AddressFamily.InterNetwork, v4)];
        if (v6 is not null)
            _dumps = [.. _dumps, (AddressFamily.InterNetworkV6, v6)];
    }

    /// <summary>Connections of the run per state, at the last successful <see cref="Read"/>.</summary>
    public ImmutableDictionary<TcpState, long> StateCounts() =>
        _states.Index().Where(s => s.Item > 0).ToImmutableDictionary(s => (TcpState)s.Index, s => s.Item);

    /// <summary>ESTABLISHED connections of the run per source, at the last successful <see cref="Read"/>.</summary>
    public ImmutableDictionary<IpAddress, long> EstablishedBySource() => _establishedBySource.ToImmutableDictionary();

    /// <summary>
    /// Live sockets (not TIME-WAIT) to the destinations from outside the blocks, at the last successful <see cref="Read"/>.
    /// </summary>
    public long Foreign { get; private set; }

    /// <summary>Dumps and counts. When it fails, what was counted so far is half the truth and not to be used.</summary>
    public SysResult Read()
    {
        for (var attempt = 1; ; attempt++)
        {
            Array.Clear(_states);
            _establishedBySource.Clear();
            Foreign = 0;
            var result = ReadOnce();
            if (result.Errno != Errno.EINTR || attempt == Attempts)
                return result;
        }
    }

    private SysResult ReadOnce()
    {
        var counter = new Counter(this);
        foreach (var (family, bytecode) in _dumps)
        {
            var result = SockDiagDump.Run(family, States, bytecode, ref counter);
            if (!result.Ok)
                return result;
        }

        return default;
    }

    private void Count(in InetDiagMessage socket)
    {
        if (!_localPorts.IsEmpty)
        {
            CountLocal(socket);
            return;
        }

        if (_matchHere && !_destinations.Contains(socket.Destination, socket.DestinationPort))
            return;
        var source = socket.Source;
        // The server's end of a connection whose client port happens to be one of the target's.
        if (_destinations.Contains(source, socket.SourcePort))
            return;
        if (!_owned.Contains(source, socket.SourcePort))
        {
            Foreign += socket.State == TcpState.TimeWait ? 0 : 1;
            return;
        }

        CountState(socket.State);
        if (socket.State == TcpState.Established)
            CollectionsMarshal.GetValueRefOrAddDefault(_establishedBySource, source, out _)++;
    }

    private void CountLocal(in InetDiagMessage socket)
    {
        if (!_matchHere || DestinationSet.ContainsPort(_localPorts.AsSpan(), socket.SourcePort))
            CountState(socket.State);
    }

    private void CountState(TcpState state)
    {
        if ((int)state < _states.Length)
            _states[(int)state]++;
    }

    private readonly struct Counter(SockDiagReader reader) : ISocketVisitor
    {
        public void Visit(in InetDiagMessage socket) => reader.Count(in socket);
    }
}
