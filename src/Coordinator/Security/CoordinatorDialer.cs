using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Coordinator.Security;

/// <summary>Opens connections to a coordinator for a user's program. What stands in the way is a <see cref="ChannelException"/>.</summary>
/// <param name="url">Where it is.</param>
/// <param name="trust">Judges its certificate; not asked without TLS.</param>
internal sealed class CoordinatorDialer(CoordinatorUrl url, ServerTrust trust)
{
    private static readonly TimeSpan _addressTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A connection that speaks HTTP/2 next.</summary>
    public async ValueTask<Stream> DialAsync(CancellationToken cancel)
    {
        if (url.SocketPath is { } path)
            return await DialSocketAsync(path, cancel);
        var stream = await DialTcpAsync(cancel);
        return url.IsTls ? await SecureAsync(stream, cancel) : stream;
    }

    private async Task<Stream> DialSocketAsync(string path, CancellationToken cancel)
    {
        try
        {
            return await ConnectAsync(new UnixDomainSocketEndPoint(path), ProtocolType.Unspecified, cancel);
        }
        catch (SocketException e)
        {
            throw new ChannelException(File.Exists(path)
                ? $"nobody listens on {url} ({e.Message}); start the coordinator: loadharness serve --socket {path}"
                : $"there is no socket {path}; start the coordinator: loadharness serve --socket {path}", mayPass: true, e);
        }
    }

    private async Task<Stream> DialTcpAsync(CancellationToken cancel)
    {
        var endpoints = await ResolveAsync(cancel);
        SocketException? failure = null;
        foreach (var endpoint in endpoints)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            timeout.CancelAfter(_addressTimeout);
            try
            {
                return await ConnectAsync(endpoint, ProtocolType.Tcp, timeout.Token);
            }
            catch (SocketException e)
            {
                failure ??= e;
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                failure ??= new SocketException((int)SocketError.TimedOut);
            }
        }

        throw new ChannelException(
            failure!.SocketErrorCode == SocketError.ConnectionRefused
                ? $"nobody listens on {url}; start the coordinator there (loadharness serve --listen {url.Host}:{url.Port}), or look at the port"
                : $"{url} cannot be reached: {failure.Message}; look at the address, the route and the firewalls between",
            mayPass: true, failure);
    }

    private async Task<IPEndPoint[]> ResolveAsync(CancellationToken cancel)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(url.Host, cancel);
            return [.. addresses.OrderBy(a => a.AddressFamily != AddressFamily.InterNetwork).Select(a => new IPEndPoint(a, url.Port))];
        }
        catch (SocketException e)
        {
            throw new ChannelException(
                $"{url}: the name {url.Host} is not known here ({e.Message}); write its address, or another name", mayPass: true, e);
        }
    }

    private async Task<Stream> SecureAsync(Stream stream, CancellationToken cancel)
    {
        string? problem = null;
        var ssl = new SslStream(stream);
        try
        {
            await ssl.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = url.Host,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ApplicationProtocols = [SslApplicationProtocol.Http2],
                    CertificateChainPolicy = trust.Policy(),
                    RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                    {
                        problem = trust.Judge(url, certificate as X509Certificate2, chain, errors, DateTimeOffset.UtcNow);
                        return problem is null;
                    },
                },
                cancel);
            return ssl.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2
                ? ssl
                : throw new ChannelException(
                    $"{url} speaks TLS but no HTTP/2; is it a coordinator, reached without a proxy?", mayPass: false);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            await ssl.DisposeAsync();
            throw problem is not null
                ? new ChannelException(problem, mayPass: false, e)
                : new ChannelException(
                    $"{url} answers, but not in TLS ({e.GetBaseException().Message}); if it is a coordinator without a certificate, reach it "
                    + $"on its own host as http://127.0.0.1:{url.Port}, or give it one: loadharness certs init", mayPass: false, e);
        }
        catch
        {
            await ssl.DisposeAsync();
            throw;
        }
    }

    private static async Task<Stream> ConnectAsync(EndPoint endpoint, ProtocolType protocol, CancellationToken cancel)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, protocol);
        try
        {
            if (protocol == ProtocolType.Tcp)
                socket.NoDelay = true;
            await socket.ConnectAsync(endpoint, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
