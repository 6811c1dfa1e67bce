using Grpc.Core;
using Grpc.Core.Interceptors;

namespace LoadHarness.Coordinator.Security;

/// <summary>Lets a call through only when it carries the credential; there is no call that does without.</summary>
public sealed class CredentialInterceptor(Credential credential, string credentialPath) : Interceptor
{
    private const string Header = "authorization";
    private const string Scheme = "Bearer ";

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
    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Demand(context);
        return continuation(request, responseStream, context);
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

    private void Demand(ServerCallContext context)
    {
        var given = context.RequestHeaders.GetValue(Header);
        if (given is null)
            throw Refuse("no credential given");
        if (!given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || !credential.Matches(given[Scheme.Length..].Trim()))
            throw Refuse("wrong credential");
    }

    private RpcException Refuse(string what) =>
        new(new Status(StatusCode.Unauthenticated, $"{what}; send `authorization: Bearer ...` with what {credentialPath} holds"));
}
