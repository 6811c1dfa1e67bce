using Grpc.AspNetCore.Server;
using Grpc.Core;
using LoadHarness.V1;
using Microsoft.AspNetCore.Http;

namespace LoadHarness.Coordinator.Security;

/// <summary>
/// Lets a request through only when its caller is known and may make it; there is none that does without. It stands before gRPC, which reads
/// the whole message of a unary call before anything of ours is asked: strangers must not fill this process's memory.
/// </summary>
public sealed class AccessGate(RequestDelegate next, Authenticator authenticator, CallLimits limits)
{
    /// <summary>Who makes a request that was let through.</summary>
    public static Caller CallerOf(HttpContext context) => (Caller)context.Items[typeof(Caller)]!;

    /// <summary>Lets one request through, or answers it with the status of its refusal.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        try
        {
            context.Items[typeof(Caller)] = Demand(context);
        }
        catch (RpcException e)
        {
            Refuse(context.Response, e.Status);
            return Task.CompletedTask;
        }

        return next(context);
    }

    private Caller Demand(HttpContext context)
    {
        var caller = authenticator.Identify(context.Request.Headers.Authorization.LastOrDefault(), CallOrigin.Of(context));
        // Without one there is no such method, and gRPC says so.
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>() is not { Method.FullName: var method })
            return caller;
        var access = AccessPolicy.Of(method);
        // What is refused counts too.
        if (access != Access.Agent)
            limits.CountCall(caller);
        return caller.May(access)
            ? caller
            : throw new RpcException(new Status(StatusCode.PermissionDenied, $"{caller.Description} may not call {method}: {Words(access)}"));
    }

    // A response that is nothing but its trailers: "Trailers-Only" of gRPC over HTTP/2.
    private static void Refuse(HttpResponse response, Status status)
    {
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = ((int)status.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(status.Detail);
    }

    private static string Words(Access access) => access switch
    {
        Access.Viewer => "it is for users; give a token of the role viewer or operator",
        Access.Operator => "it is for operators; give a token of the role operator",
        Access.Agent => "it is for agents; let them join with a token of that role (loadharness tokens create NAME --role agent)",
        _ => "it is open to nobody",
    };
}
