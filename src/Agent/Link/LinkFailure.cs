using System.Net.Sockets;
using Grpc.Core;

namespace LoadHarness.Agent.Link;

/// <summary>Says in one line why a call broke.</summary>
internal static class LinkFailure
{
    /// <summary>The innermost cause that means something to people.</summary>
    public static string Describe(Exception failure)
    {
        for (var inner = failure; inner is not null; inner = inner.InnerException ?? (inner as RpcException)?.Status.DebugException)
        {
            if (inner is SocketException or LinkLostException)
                return inner.Message;
        }

        return failure is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Status.Detail}" : failure.Message;
    }

    /// <summary>Whether trying again is no use: the coordinator has answered, and it was a no.</summary>
    public static bool IsFinal(RpcException failure) =>
        failure.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.Unimplemented;
}
