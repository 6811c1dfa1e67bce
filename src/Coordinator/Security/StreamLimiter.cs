using Grpc.Core;
using Grpc.Core.Interceptors;

namespace LoadHarness.Coordinator.Security;

/// <summary>Counts the streams that callers hold open; who calls was found out by <see cref="AccessGate"/>.</summary>
public sealed class StreamLimiter(CallLimits limits) : Interceptor
{
    /// <inheritdoc/>
    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        using var stream = limits.CountStream(AccessGate.CallerOf(context.GetHttpContext()));
        await continuation(request, responseStream, context);
    }
}
