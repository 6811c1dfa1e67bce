using Google.Protobuf;
using Grpc.Core;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>
/// A call whose other side sends bytes, read as gRPC reads them: what is no message ends the call. Without a connection, which would take longer to
/// make anew than thousands of messages take.
/// </summary>
/// <typeparam name="TRequest">What the agent sends.</typeparam>
/// <typeparam name="TResponse">What the other side sends.</typeparam>
/// <param name="messages">What comes; one that is no message is the last. More calls may go on with the rest.</param>
/// <param name="parser">Reads them.</param>
/// <param name="sent">Gets what the agent sends.</param>
internal sealed class ByteCall<TRequest, TResponse>(IEnumerator<byte[]> messages, MessageParser<TResponse> parser, Action<TRequest> sent)
    : IAsyncStreamReader<TResponse>, IClientStreamWriter<TRequest>
    where TResponse : class, IMessage<TResponse>
{
    /// <summary>Nothing comes before this has completed.</summary>
    public Task Begins { get; init; } = Task.CompletedTask;

    /// <summary>Messages that could be read.</summary>
    public int Read { get; private set; }

    /// <summary>Whether the call ended over bytes that are no message.</summary>
    public bool IsBroken { get; private set; }

    public TResponse Current { get; private set; } = null!;

    public WriteOptions? WriteOptions { get; set; }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        await Begins.WaitAsync(cancellationToken);
        // As over a connection: whoever reads is not the one who began the call.
        await Task.Yield();
        if (!messages.MoveNext())
            return false;
        try
        {
            Current = parser.ParseFrom(messages.Current);
            Read++;
            return true;
        }
        catch (InvalidProtocolBufferException e)
        {
            IsBroken = true;
            throw new RpcException(new Status(StatusCode.Internal, $"Failed to deserialize response message: {e.Message}"));
        }
    }

    public Task WriteAsync(TRequest message)
    {
        sent(message);
        return Task.CompletedTask;
    }

    public Task CompleteAsync() => Task.CompletedTask;

    public AsyncDuplexStreamingCall<TRequest, TResponse> Open() =>
        new(this, this, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
}
