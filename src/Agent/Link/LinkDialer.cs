using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using LoadHarness.Agent.Preflight;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Link;

/// <summary>Opens HTTP/2 connections to the coordinator.</summary>
public sealed class LinkDialer(LinkOptions options)
{
    private const int MaxMessageBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(10);

    // One address that swallows everything must not use up the time of the others.
    private static readonly TimeSpan _addressTimeout = TimeSpan.FromSeconds(3);

    // A coordinator that is stopped, or a peer that vanished, is noticed after the sum of both.
    private static readonly TimeSpan _pingDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _pingTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A channel with a connection of its own; nothing is dialled before its first call.</summary>
    public GrpcChannel OpenChannel()
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancel) => ConnectAsync(cancel),
            ConnectTimeout = _connectTimeout,
            KeepAlivePingDelay = _pingDelay,
            KeepAlivePingTimeout = _pingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            AllowAutoRedirect = false,
        };
        var coordinator = options.Coordinator;
        return GrpcChannel.ForAddress(coordinator.IsTls ? coordinator.ToString() : "http://localhost", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageBytes,
            MaxSendMessageSize = MaxMessageBytes,
        });
    }

    /// <summary>The headers of a call.</summary>
    /// <exception cref="LinkRefusedException">The credential cannot be read, or is open to other users.</exception>
    public Metadata Headers() => options.Credential.Headers();

    private async ValueTask<Stream> ConnectAsync(CancellationToken cancel)
    {
        if (options.Coordinator.SocketPath is { } path)
        {
            // The framework would call it an address that cannot be assigned.
            return File.Exists(path)
                ? await ConnectAsync(new UnixDomainSocketEndPoint(path), null, cancel).ConfigureAwait(false)
                : throw new LinkLostException("there is no such socket; is the coordinator running?");
        }

        var stream = await ConnectTcpAsync(cancel).ConfigureAwait(false);
        return options.Coordinator.IsTls
            ? await TlsHandshake.AuthenticateAsync(stream, options.Tls!, options.Coordinator, cancel).ConfigureAwait(false)
            : stream;
    }

    private async Task<Stream> ConnectTcpAsync(CancellationToken cancel)
    {
        SocketException? failure = null;
        foreach (var endpoint in await options.Coordinator.ResolveAsync(cancel).ConfigureAwait(false))
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            timeout.CancelAfter(_addressTimeout);
            try
            {
                // Bound first: a slice over all ephemeral ports leaves connect() none to choose, but bind() still finds one
                // of this address, from which a run opens no connections of that port.
                var source = RouteLookup.SourceOf(IpAddress.From(endpoint.Address))?.ToIPAddress();
                return await ConnectAsync(endpoint, source is null ? null : new(source, 0), timeout.Token).ConfigureAwait(false);
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

        throw failure ?? new SocketException((int)SocketError.HostNotFound);
    }

    private static async Task<Stream> ConnectAsync(EndPoint endpoint, IPEndPoint? source, CancellationToken cancel)
    {
        var socket = new Socket(
            endpoint.AddressFamily, SocketType.Stream, endpoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            if (endpoint is IPEndPoint)
                socket.NoDelay = true;
            if (source is not null)
                socket.Bind(source);
            await socket.ConnectAsync(endpoint, cancel).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
