using System.Collections.Immutable;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Interop.OpenSsl;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Assignments;

/// <summary>
/// Makes the transports of a run's reactors out of what they share. Used by one plain thread: OpenSSL is loaded and set up before the
/// first reactor starts.
/// </summary>
internal sealed class TransportMaker : IDisposable
{
    private readonly SslContext? _context;
    private readonly TlsOptions? _tls;
    private readonly ProxyPreamble? _preamble;
    private bool _hasLeftovers;

    public TransportMaker(Assignment assignment)
    {
        var plan = assignment.Transport;
        Socket = plan.Socket;
        if (plan.Proxy is { } proxy)
            _preamble = new ProxyPreamble(proxy.Version, proxy.Clients);
        if (plan.Tls is not { } tls)
            return;
        if (tls.ReleasesIdle)
            NativeHeap.KeepEndsShort();
        try
        {
            _context = tls.CreateContext(out var problem);
            if (_context is null)
                Refusal = new($"transport.tls.{problem.Field}", "tls", problem.Message);
            else
                _tls = new(_context, PeersOf(assignment, tls), tls.Resume, tls.ReleasesIdle, tls.ShutsDownQuietly);
        }
        catch (DllNotFoundException)
        {
            Refusal = new("transport.tls", "library", "this host lacks OpenSSL 3 (libssl.so.3, libcrypto.so.3); install its package libssl3 or openssl-libs");
        }
    }

    /// <summary>Why none can be made; null when they can.</summary>
    public AssignmentRefusal? Refusal { get; }

    /// <summary>Options of every socket; null: as the kernel makes them.</summary>
    public SocketOptions? Socket { get; }

    /// <summary>Makes the transport of one reactor, which owns it.</summary>
    public ITransport Create() => _tls is null ? new PlainTransport(_preamble) : new TlsTransport(_tls, _preamble);

    // Destinations are many, and those that differ in their ports alone are taken for the same.
    private static ImmutableArray<TlsPeer> PeersOf(Assignment assignment, TlsPlan tls)
    {
        var peers = new Dictionary<(string?, IpAddress), TlsPeer>();
        return
        [
            .. assignment.Destinations.SelectMany(d => d.Pairs.Select(p =>
                peers.TryGetValue((d.HostName, p.Address), out var peer) ? peer : peers[(d.HostName, p.Address)] = tls.PeerOf(d.HostName, p.Address)))
        ];
    }

    /// <summary>
    /// Called with each sample: gives the kernel back what handshakes have left in the heap, once none is under way and connections give their TLS
    /// state back. Otherwise as much as the most of them at a time took would stay.
    /// </summary>
    /// <param name="handshaking">Under way now.</param>
    /// <param name="opened">Since the last sample.</param>
    public void Settle(long handshaking, long opened)
    {
        var busy = handshaking + opened > 0;
        if (_hasLeftovers && !busy)
            NativeHeap.Trim();
        _hasLeftovers = busy && _tls is { ReleasesIdle: true };
    }

    /// <summary>When no reactor is left.</summary>
    public void Dispose() => _context?.Dispose();
}
