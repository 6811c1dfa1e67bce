using Grpc.Core;
using Grpc.Core.Interceptors;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Security;

/// <summary>Lets a call through only when its caller is known and may make it; there is no call that does without.</summary>
public sealed class AccessInterceptor(Authenticator authenticator, CallLimits limits) : Interceptor
{
    private const string Header = "authorization";

    /// <summary>Who makes a call that was let through.</summary>
    public static Caller CallerOf(ServerCallContext context) => (Caller)context.UserState[typeof(Caller)];

    /// <inheritdoc/>
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Demand(context);
        return continuation(request, context);
    }

    /// <inheritdoc/>
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Demand(context);
        return continuation(requestStream, context);
    }

    /// <inheritdoc/>
    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var caller = Demand(context);
        using var stream = limits.CountStream(caller);
        await continuation(request, responseStream, context);
    }

    /// <inheritdoc/>
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Demand(context);
        return continuation(requestStream, responseStream, context);
    }

    private Caller Demand(ServerCallContext context)
    {
        var caller = authenticator.Identify(context.RequestHeaders.GetValue(Header), CallOrigin.Of(context.GetHttpContext()));
        var access = AccessPolicy.Of(context.Method);
        if (!caller.May(access))
            throw new RpcException(new Status(StatusCode.PermissionDenied, $"{caller.Description} may not call {context.Method}: {Words(access)}"));
        if (access != Access.Agent)
            limits.CountCall(caller);
        context.UserState[typeof(Caller)] = caller;
        return caller;
    }

    private static string Words(Access access) => access switch
    {
        Access.Viewer => "it is for users; give a token of the role viewer or operator",
        Access.Operator => "it is for operators; give a token of the role operator",
        Access.Agent => "it is for agents; let them join with a token of that role (loadharness tokens create NAME --role agent)",
        _ => "it is open to nobody",
    };
}
