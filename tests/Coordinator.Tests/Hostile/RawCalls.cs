using Google.Protobuf.Reflection;
using Grpc.Core;
using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.Tests.Hostile;

/// <summary>Calls any method with any bytes.</summary>
/// <param name="open">Opens a connection.</param>
internal sealed class RawCalls(Func<CoordinatorChannel> open) : IDisposable
{
    private readonly CoordinatorChannel _channel = open();
    private static readonly Marshaller<byte[]> _bytes = Marshallers.Create<byte[]>(b => b, b => b);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    public void Dispose() => _channel.Dispose();

    /// <summary>A whole call of a method that takes one message.</summary>
    /// <returns>How it ended: a stream counts as OK once it has sent something, and is then given up.</returns>
    public async Task<StatusCode> CallAsync(MethodDescriptor method, byte[] request)
    {
        using var cancel = new CancellationTokenSource(_patience);
        var options = new CallOptions(cancellationToken: cancel.Token);
        try
        {
            if (!method.IsServerStreaming)
            {
                await _channel.Invoker.AsyncUnaryCall(Of(method, MethodType.Unary), null, options, request);
                return StatusCode.OK;
            }

            using var call = _channel.Invoker.AsyncServerStreamingCall(Of(method, MethodType.ServerStreaming), null, options, request);
            await call.ResponseStream.MoveNext(cancel.Token);
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return cancel.IsCancellationRequested ? StatusCode.DeadlineExceeded : e.StatusCode;
        }
    }

    /// <summary>Sends messages on a stream until the other side ends the call.</summary>
    /// <param name="method">Streams both ways.</param>
    /// <param name="messages">What to send.</param>
    /// <returns>How it ended (null: a reset of the stream has overtaken the status), and how many were sent.</returns>
    public async Task<(StatusCode? Status, int Sent)> StreamAsync(MethodDescriptor method, IEnumerable<byte[]> messages)
    {
        using var cancel = new CancellationTokenSource(_patience);
        // On a connection of its own: one over which many calls are broken off is closed by the server.
        using var channel = open();
        using var call = channel.Invoker.AsyncDuplexStreamingCall(
            Of(method, MethodType.DuplexStreaming), null, new CallOptions(cancellationToken: cancel.Token));
        var reading = DrainAsync(call.ResponseStream, cancel.Token);
        var sent = 0;
        foreach (var message in messages)
        {
            if (reading.IsCompleted || !await WriteAsync(call.RequestStream, message))
                break;
            sent++;
        }

        try
        {
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or RpcException or IOException)
        {
            // The other side was first.
        }

        var status = await reading;
        return (cancel.IsCancellationRequested ? StatusCode.DeadlineExceeded : status, sent);
    }

    private static async Task<bool> WriteAsync(IClientStreamWriter<byte[]> stream, byte[] message)
    {
        try
        {
            await stream.WriteAsync(message);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or RpcException or OperationCanceledException or IOException)
        {
            return false;
        }
    }

    private static async Task<StatusCode?> DrainAsync(IAsyncStreamReader<byte[]> responses, CancellationToken cancel)
    {
        try
        {
            while (await responses.MoveNext(cancel))
            {
                // What it says is not the matter here.
            }

            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            // gRPC resets a stream that it has ended while more was coming; a client that still writes may see that before the status.
            return e.Status.DebugException is HttpRequestException or HttpProtocolException ? null : e.StatusCode;
        }
    }

    private static Method<byte[], byte[]> Of(MethodDescriptor method, MethodType type) =>
        new(type, method.Service.FullName, method.Name, _bytes, _bytes);
}
