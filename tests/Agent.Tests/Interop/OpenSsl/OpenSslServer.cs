using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Agent.Tests.Interop.OpenSsl;

/// <summary>A server of OpenSSL itself, a thread for each connection, that does after the handshake what it is told to: bad things too.</summary>
internal sealed unsafe partial class OpenSslServer : IDisposable
{
    private const int VerifyPeer = 1;
    private const int FailIfNoCertificate = 2;
    private const int ReceivedShutdown = 2;
    private const int GetNegotiatedGroup = 134;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Action<Session> _serve;
    private readonly nint _context;
    private readonly List<Thread> _threads = [];
    private readonly List<Socket> _sockets = [];
    private bool _disposed;

    /// <summary>Listens.</summary>
    /// <param name="certificate">With its key.</param>
    /// <param name="serve">Called when the handshake is over from the server's point of view; the socket is closed after it.</param>
    /// <param name="wantsCertificate">A client without a certificate is sent away.</param>
    public OpenSslServer(X509Certificate2 certificate, Action<Session> serve, bool wantsCertificate = false)
    {
        _serve = serve;
        _context = SSL_CTX_new(TLS_server_method());
        using var key = certificate.GetECDsaPrivateKey()!;
        var (der, pkcs8) = (certificate.RawData, key.ExportECPrivateKey());
        fixed (byte* bytes = der)
            Assert.That(SSL_CTX_use_certificate_ASN1(_context, der.Length, bytes), Is.EqualTo(1));
        fixed (byte* bytes = pkcs8)
            Assert.That(SSL_CTX_use_PrivateKey_ASN1(408, _context, bytes, pkcs8.Length), Is.EqualTo(1));
        if (wantsCertificate)
            SSL_CTX_set_verify(_context, VerifyPeer | FailIfNoCertificate, 0);
        _listener.Start();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Ends it; returns when no thread of it is left.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _listener.Dispose();
        Thread[] threads;
        lock (_threads)
        {
            _sockets.ForEach(socket => socket.Dispose());
            threads = [.. _threads];
        }

        Array.ForEach(threads, t => t.Join());
        SSL_CTX_free(_context);
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                var socket = _listener.AcceptSocket();
                var thread = new Thread(() => Serve(socket)) { IsBackground = true };
                lock (_threads)
                {
                    _sockets.Add(socket);
                    _threads.Add(thread);
                    thread.Start();
                }
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // Disposed.
        }
    }

    private void Serve(Socket socket)
    {
        var ssl = SSL_new(_context);
        try
        {
            // What is sent ahead of a close with bytes unread must not wait for an answer.
            socket.NoDelay = true;
            socket.ReceiveTimeout = 60_000;
            _ = SSL_set_fd(ssl, (int)socket.Handle);
            if (SSL_accept(ssl) == 1)
                _serve(new Session(ssl, socket));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }

        SSL_free(ssl);
        socket.Dispose();
    }

    /// <summary>One connection.</summary>
    internal sealed class Session(nint ssl, Socket socket)
    {
        /// <summary>Its socket.</summary>
        public Socket Socket => socket;

        /// <summary>Waits for something and reads it; 0: the end.</summary>
        public int Read()
        {
            var buffer = stackalloc byte[4096];
            return Math.Max(0, SSL_read(ssl, buffer, 4096));
        }

        /// <summary>Sends all of it, as far as the client takes it.</summary>
        public void Write(ReadOnlySpan<byte> bytes)
        {
            fixed (byte* pointer = bytes)
                _ = SSL_write(ssl, pointer, bytes.Length);
        }

        /// <summary>The suite in use: <c>TLS_AES_128_GCM_SHA256</c>.</summary>
        public string Suite => Marshal.PtrToStringAnsi(SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)))!;

        /// <summary>The group that the key exchange was done in: <c>x25519</c>.</summary>
        public string Group => Marshal.PtrToStringAnsi(SSL_group_to_name(ssl, (int)SSL_ctrl(ssl, GetNegotiatedGroup, 0, 0)))!;

        /// <summary>Whether the client has sent close_notify.</summary>
        public bool HasCloseNotify => (SSL_get_shutdown(ssl) & ReceivedShutdown) != 0;

        /// <summary>Sends close_notify.</summary>
        public void CloseNotify() => _ = SSL_shutdown(ssl);

        /// <summary>Behaves as if the client had sent a record that cannot be decrypted: sends the alert bad_record_mac.</summary>
        public void Alert()
        {
            ReadOnlySpan<byte> rubbish = [23, 3, 3, 0, 32, .. Enumerable.Repeat((byte)7, 32)];
            fixed (byte* pointer = rubbish)
                SSL_set0_rbio(ssl, BIO_new_mem_buf(pointer, rubbish.Length));
            var buffer = stackalloc byte[16];
            Assert.That(SSL_read(ssl, buffer, 16), Is.LessThan(1));
        }
    }

    [LibraryImport("libssl.so.3")]
    private static partial nint TLS_server_method();

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_CTX_new(nint method);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_CTX_free(nint context);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_use_certificate_ASN1(nint context, int length, byte* bytes);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_CTX_use_PrivateKey_ASN1(int type, nint context, byte* bytes, nint length);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_CTX_set_verify(nint context, int mode, nint callback);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_new(nint context);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_free(nint ssl);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_set_fd(nint ssl, int fd);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_accept(nint ssl);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_read(nint ssl, byte* buffer, int length);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_write(nint ssl, byte* buffer, int length);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_shutdown(nint ssl);

    [LibraryImport("libssl.so.3")]
    private static partial int SSL_get_shutdown(nint ssl);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_get_current_cipher(nint ssl);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_CIPHER_get_name(nint cipher);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_ctrl(nint ssl, int command, nint number, nint pointer);

    [LibraryImport("libssl.so.3")]
    private static partial nint SSL_group_to_name(nint ssl, int id);

    [LibraryImport("libssl.so.3")]
    private static partial void SSL_set0_rbio(nint ssl, nint bio);

    [LibraryImport("libcrypto.so.3")]
    private static partial nint BIO_new_mem_buf(byte* bytes, int length);
}
