using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Interop.OpenSsl;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Transports;

/// <summary>
/// TLS by OpenSSL on the reactor's own sockets. A slot has an SSL object from <see cref="Open"/> until <see cref="Shutdown"/>,
/// <see cref="Release"/> or, when so configured, <see cref="Idle"/>; without one it is read as plain TCP: what still comes is
/// thrown away and not looked at.
/// </summary>
public sealed unsafe class TlsTransport : ITransport
{
    // A record has at most 16 KB.
    private const int RecordBytes = 16_384;
    private const int DiscardRecords = 64;

    private readonly TlsOptions _options;
    private readonly PlainTransport _plain;
    private readonly SslSession[] _sessions;
    private readonly double[] _resumeCredits;
    private readonly byte[] _scratch = GC.AllocateUninitializedArray<byte>(RecordBytes, pinned: true);
    private Ssl* _connections;
    private ushort* _numbers;
    private bool* _owesSession;
    private int _capacity;

    /// <summary>Makes the TLS of one reactor.</summary>
    /// <param name="options">Shared by all reactors.</param>
    /// <param name="preamble">What each connection begins with, ahead of TLS; null: nothing.</param>
    public TlsTransport(TlsOptions options, ProxyPreamble? preamble = null)
    {
        _options = options;
        _plain = new PlainTransport(preamble);
        _sessions = new SslSession[options.Peers.Length];
        // Each a step of the golden ratio on: destinations with few connections do not all resume at the same of them.
        _resumeCredits = [.. Enumerable.Range(0, options.Peers.Length).Select(i => i * 0.618033988749895 % 1)];
    }

    /// <inheritdoc/>
    public bool HasHandshake => true;

    /// <inheritdoc/>
    public void Reserve(int capacity)
    {
        _capacity = capacity;
        _connections = Memory.Reserve<Ssl>(capacity);
        _numbers = Memory.Reserve<ushort>(capacity);
        _owesSession = Memory.Reserve<bool>(capacity);
    }

    /// <inheritdoc/>
    public TransportAnswer Open(int slot, in SocketAddress source, in SocketAddress destination, int number, out TransportFault fault)
    {
        if (_plain.Open(slot, source, destination, number, out fault) == TransportAnswer.Failed)
            return TransportAnswer.Failed;
        var ssl = Ssl.Connect(_options.Context, slot);
        _connections[slot] = ssl;
        _numbers[slot] = (ushort)number;
        _owesSession[slot] = _options.ResumeRatio > 0;
        if (!ssl.Exists || !Introduce(ssl, _options.Peers[number]))
        {
            fault = new(FailureCause.Memory, 0);
            return TransportAnswer.Failed;
        }

        Resume(ssl, number);
        return Handshake(slot, out fault);
    }

    /// <inheritdoc/>
    public TransportAnswer Handshake(int slot, out TransportFault fault) =>
        AnswerOf(slot, _connections[slot].Handshake(out var errno), errno, out fault);

    /// <inheritdoc/>
    public bool HasResumed(int slot) => _connections[slot].Resumed;

    /// <inheritdoc/>
    public TransportAnswer Send(int slot, ReadOnlySpan<byte> bytes, out int sent, out TransportFault fault)
    {
        sent = 0;
        fixed (byte* pointer = bytes)
        {
            while (sent < bytes.Length)
            {
                var result = _connections[slot].Write(pointer + sent, bytes.Length - sent, out var written, out var errno);
                sent += written;
                if (result != TlsResult.Done)
                    return AnswerOf(slot, result, errno, out fault);
            }
        }

        fault = default;
        return TransportAnswer.Done;
    }

    /// <inheritdoc/>
    public TransportAnswer Receive(int slot, Span<byte> buffer, out int received, out TransportFault fault)
    {
        var result = Read(slot, buffer, out received, out var errno);
        if (result != TlsResult.SocketFailed || errno != 0)
            return AnswerOf(slot, result, errno, out fault);
        fault = TransportFault.UncleanEnd;
        return TransportAnswer.Failed;
    }

    /// <inheritdoc/>
    public TransportAnswer Discard(int slot, out long bytes, out TransportFault fault)
    {
        if (!_connections[slot].Exists)
        {
            // Tickets, close_notify, data: nobody knows any more.
            var thrown = _plain.Discard(slot, out _, out fault);
            bytes = 0;
            return thrown;
        }

        bytes = 0;
        for (var i = 0; i < DiscardRecords; i++)
        {
            var answer = Receive(slot, _scratch, out var received, out fault);
            bytes += received;
            if (answer == TransportAnswer.Done)
                continue;
            // A ticket makes OpenSSL take a buffer to write from, 16 KB, which only a write would give back.
            _connections[slot].FreeBuffers();
            return answer;
        }

        fault = default;
        return TransportAnswer.Done;
    }

    /// <inheritdoc/>
    public TransportFault FaultBehind(int slot, int errno)
    {
        // A peer that sends an alert and closes with bytes of ours unread resets the connection behind the alert.
        for (var i = 0; i < DiscardRecords && _connections[slot].Exists; i++)
        {
            var result = Read(slot, _scratch, out _, out _);
            if (result == TlsResult.Failed)
                return FaultOf(_connections[slot]);
            if (result != TlsResult.Done)
                break;
        }

        return TransportFault.OfErrno(errno);
    }

    /// <inheritdoc/>
    public void Idle(int slot)
    {
        if (!_options.ReleasesIdle || !_connections[slot].Exists)
            return;
        // Later handshakes need a session, and that of TLS 1.3 comes behind the handshake.
        if (_owesSession[slot])
            LearnSession(slot);
        if (_options.ResumeRatio == 0 || _sessions[_numbers[slot]].Exists)
            Release(slot);
    }

    /// <inheritdoc/>
    public TransportAnswer Shutdown(int slot, out TransportFault fault)
    {
        // Whether the peer still hears it is no matter: our FIN follows.
        if (_connections[slot].Exists && !_options.ShutsDownQuietly)
            _connections[slot].Shutdown(out _);
        Release(slot);
        return _plain.Shutdown(slot, out fault);
    }

    /// <inheritdoc/>
    public void Release(int slot)
    {
        var ssl = _connections[slot];
        if (!ssl.Exists)
            return;
        if (_owesSession[slot])
            LearnSession(slot);
        ssl.Free();
        _connections[slot] = default;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_connections == null)
            return;
        for (var slot = 0; slot < _capacity; slot++)
        {
            if (_connections[slot].Exists)
                _connections[slot].Free();
        }

        foreach (var session in _sessions)
        {
            if (session.Exists)
                session.Free();
        }

        Memory.Release(_connections, _capacity);
        Memory.Release(_numbers, _capacity);
        Memory.Release(_owesSession, _capacity);
        _connections = null;
    }

    private TlsResult Read(int slot, Span<byte> buffer, out int received, out int errno)
    {
        fixed (byte* pointer = buffer)
        {
            var result = _connections[slot].Read(pointer, buffer.Length, out received, out errno);
            // It asks OpenSSL, which may forget the error: only of what went well.
            if (_owesSession[slot] && result is TlsResult.Done or TlsResult.Again)
                LearnSession(slot);
            return result;
        }
    }

    private static bool Introduce(Ssl ssl, TlsPeer peer) =>
        (peer.ServerName is null || ssl.SetServerName(peer.ServerName))
        && (peer.VerifiedName is null || ssl.SetVerifiedName(peer.VerifiedName))
        && (peer.VerifiedAddress is null || ssl.SetVerifiedAddress(peer.VerifiedAddress));

    // Spread evenly: of 30 %, every third or fourth.
    private void Resume(Ssl ssl, int number)
    {
        if (!_sessions[number].Exists)
            return;
        ref var credit = ref _resumeCredits[number];
        credit += _options.ResumeRatio;
        if (credit < 1)
            return;
        credit--;
        ssl.SetSession(_sessions[number]);
    }

    // Of a full handshake, as soon as its ticket has come: many connections are held for hours, and others open meanwhile. Where a
    // session is not resumed any more, that handshake is full, and brings a new one. What was not verified to the end is not resumed.
    private void LearnSession(int slot)
    {
        var (ssl, number) = (_connections[slot], _numbers[slot]);
        if (!ssl.IsOpen)
            return;
        ref var kept = ref _sessions[number];
        var session = ssl.Resumed && kept.Exists ? default : ssl.TakeSession();
        _owesSession[slot] = !session.Exists && !ssl.Resumed;
        if (!session.Exists)
            return;
        if (kept.Exists)
            kept.Free();
        kept = session;
    }

    private TransportAnswer AnswerOf(int slot, TlsResult result, int errno, out TransportFault fault)
    {
        switch (result)
        {
            case TlsResult.Done:
                fault = default;
                return TransportAnswer.Done;
            case TlsResult.Again:
                fault = default;
                return TransportAnswer.Again;
            case TlsResult.Failed:
                fault = FaultOf(_connections[slot]);
                return TransportAnswer.Failed;
            default:
                fault = TransportFault.OfErrno(errno);
                return TransportAnswer.Failed;
        }
    }

    private static TransportFault FaultOf(Ssl ssl)
    {
        var error = TlsErrors.Take(out var alert);
        if (TlsErrors.IsMemoryFailure(error))
            return new(FailureCause.Memory, 0);
        if (alert >= 0)
            return new(FailureCause.Alert, FailureCode.OfAlert(alert));
        return TlsErrors.IsVerifyFailure(error)
            ? new(FailureCause.Certificate, FailureCode.OfVerifyResult(ssl.VerifyResult))
            : new(FailureCause.ProtocolError, FailureCode.OfReason(TlsErrors.ReasonOf(error)));
    }
}
