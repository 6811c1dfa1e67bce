using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Agent.Tests.Interop.OpenSsl;

/// <summary>A server of the framework's TLS that sends back what it gets, up to the client's end.</summary>
internal sealed class TlsServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly SslServerAuthenticationOptions _options;
    private readonly List<Socket> _accepted = [];

    /// <summary>Listens with a certificate.</summary>
    public TlsServer(X509Certificate2 certificate, Action<SslServerAuthenticationOptions>? configure = null)
    {
        _options = new() { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) };
        configure?.Invoke(_options);
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Ends of streams so far, in the words of the stream that ended: "end" is close_notify and FIN.</summary>
    public ConcurrentQueue<string> Ends { get; } = [];

    public void Dispose()
    {
        _listener.Dispose();
        lock (_accepted)
            _accepted.ForEach(socket => socket.Dispose());
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var socket = await _listener.AcceptSocketAsync();
            lock (_accepted)
                _accepted.Add(socket);
            _ = EchoAsync(socket);
        }
    }

    private async Task EchoAsync(Socket socket)
    {
        try
        {
            await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await stream.AuthenticateAsServerAsync(_options);
            var buffer = new byte[16_384];
            while (await stream.ReadAsync(buffer) is > 0 and var read)
                await stream.WriteAsync(buffer.AsMemory(0, read));
            await stream.ShutdownAsync();
            Ends.Enqueue("end");
        }
        catch (Exception e)
        {
            Ends.Enqueue(e.Message);
        }
    }
}
