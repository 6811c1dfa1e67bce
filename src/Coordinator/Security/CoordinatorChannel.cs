using System.Net.Sockets;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace LoadHarness.Coordinator.Security;

/// <summary>A client's way to a coordinator: a gRPC channel over a Unix socket, loopback or TLS that carries a credential.</summary>
public sealed class CoordinatorChannel : IDisposable
{
    private static readonly TimeSpan _pingDelay = TimeSpan.FromSeconds(10);

    private readonly GrpcChannel _channel;

    private CoordinatorChannel(GrpcChannel channel, CallInvoker invoker) => (_channel, Invoker) = (channel, invoker);

    /// <summary>What generated clients are made over: <c>new Control.ControlClient(channel.Invoker)</c>.</summary>
    public CallInvoker Invoker { get; }

    /// <summary>Prepares a channel; nothing is dialled before the first call.</summary>
    /// <param name="socketPath">The coordinator's Unix socket.</param>
    /// <param name="credential">What its credential file holds; null to send none.</param>
    public static CoordinatorChannel ForSocket(string socketPath, Credential? credential) =>
        Open("http://localhost", cancel => ConnectAsync(socketPath, cancel), credential?.Value);

    /// <summary>Prepares a channel; nothing is dialled before the first call.</summary>
    /// <param name="url">Where the coordinator is.</param>
    /// <param name="trust">Judges its certificate.</param>
    /// <param name="token">A user's token, or the generated credential of a coordinator on this host.</param>
    public static CoordinatorChannel ForUrl(CoordinatorUrl url, ServerTrust trust, string token) =>
        Open(url.IsTls ? url.ToString() : "http://localhost", new CoordinatorDialer(url, trust).DialAsync, token);

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private static CoordinatorChannel Open(string address, Func<CancellationToken, ValueTask<Stream>> dial, string? secret)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancel) => dial(cancel),
            KeepAlivePingDelay = _pingDelay,
            KeepAlivePingTimeout = _pingDelay,
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
            AllowAutoRedirect = false,
        };
        var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = CoordinatorLimits.MaxMessageBytes,
        });
        var invoker = secret is null ? channel.CreateCallInvoker() : channel.Intercept(headers =>
        {
            headers.Add("authorization", "Bearer " + secret);
            return headers;
        });
        return new(channel, invoker);
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
