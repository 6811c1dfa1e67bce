using System.Net.Sockets;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace LoadHarness.Coordinator.Security;

/// <summary>A client's way to a coordinator on this machine: a gRPC channel over its Unix socket that carries the credential.</summary>
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
    public static CoordinatorChannel ForSocket(string socketPath, Credential? credential)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancel) => ConnectAsync(socketPath, cancel),
            KeepAlivePingDelay = _pingDelay,
            KeepAlivePingTimeout = _pingDelay,
            EnableMultipleHttp2Connections = true,
        };
        var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = CoordinatorLimits.MaxMessageBytes,
        });
        var invoker = credential is null ? channel.CreateCallInvoker() : channel.Intercept(headers =>
        {
            headers.Add("authorization", "Bearer " + credential.Value);
            return headers;
        });
        return new(channel, invoker);
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

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
