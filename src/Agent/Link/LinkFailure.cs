using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;

namespace LoadHarness.Agent.Link;

/// <summary>Says in one line why a call broke.</summary>
internal static class LinkFailure
{
    /// <summary>The innermost cause that means something to people.</summary>
    public static string Describe(Exception failure)
    {
        foreach (var inner in Causes(failure))
        {
            if (inner is SocketException or LinkLostException or LinkRefusedException)
                return inner.Message;
            if (inner is AuthenticationException)
                return $"TLS failed: {inner.GetBaseException().Message}";
        }

        return failure is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Status.Detail}" : failure.Message;
    }

    /// <summary>The refusal inside a failure; null when there is none.</summary>
    public static LinkRefusedException? RefusalIn(Exception failure) => Causes(failure).OfType<LinkRefusedException>().FirstOrDefault();

    /// <summary>Whether there was nobody to talk to, rather than somebody who could not be understood.</summary>
    public static bool IsUnreachable(Exception failure) =>
        Causes(failure).Any(c => c is SocketException or LinkLostException or OperationCanceledException);

    /// <summary>Whether trying again is no use: the coordinator has answered, and it was a no.</summary>
    public static bool IsFinal(RpcException failure) =>
        failure.StatusCode is StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.Unimplemented;

    /// <summary>What a final answer means for this agent, and what to do about it.</summary>
    public static string DescribeRefusal(CoordinatorAddress coordinator, LinkOptions options, RpcException failure)
    {
        var what = failure.StatusCode == StatusCode.Unimplemented
            ? $"{coordinator} answers, but not as a coordinator"
            : $"{coordinator} refuses this agent, {options.AgentId} ({failure.StatusCode})";
        // The coordinator says what it can do about it; what is to be done here is added.
        var wantsToken = failure.StatusCode == StatusCode.Unauthenticated && coordinator.IsTls;
        var remedy = wantsToken ? "; a join token is given with --join-token-file FILE" : "";
        return $"{what}: {failure.Status.Detail.TrimEnd('.')}{remedy}";
    }

    private static IEnumerable<Exception> Causes(Exception failure)
    {
        for (var inner = failure; inner is not null; inner = inner.InnerException ?? (inner as RpcException)?.Status.DebugException)
            yield return inner;
    }
}
