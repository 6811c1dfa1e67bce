using Google.Rpc;
using Grpc.Core;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>What a failed call means to a user.</summary>
internal static class ControlErrors
{
    private const string DetailsTrailer = "grpc-status-details-bin";

    public static CliException Translate(RpcException error)
    {
        var violations = Violations(error);
        return violations.Count > 0
            ? new CliException(ExitCode.Invalid, violations)
            : new CliException(CodeOf(error.StatusCode), TextOf(error), error);
    }

    internal static ExitCode CodeOf(StatusCode status) => status switch
    {
        StatusCode.InvalidArgument or StatusCode.NotFound => ExitCode.Invalid,
        StatusCode.FailedPrecondition or StatusCode.ResourceExhausted => ExitCode.DoesNotFit,
        StatusCode.Unavailable or StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.DeadlineExceeded =>
            ExitCode.Unreachable,
        _ => ExitCode.Internal,
    };

    private static string TextOf(RpcException error) => error.StatusCode switch
    {
        StatusCode.Unavailable => $"the coordinator does not answer: {error.Status.Detail}",
        StatusCode.Internal or StatusCode.Unknown => $"the coordinator failed: {error.Status.Detail}",
        _ => error.Status.Detail,
    };

    /// <summary>The wrong fields that an INVALID_ARGUMENT names, one line each.</summary>
    private static List<string> Violations(RpcException error)
    {
        if (error.Trailers.GetValueBytes(DetailsTrailer) is not { } bytes)
            return [];
        try
        {
            var badRequest = Google.Rpc.Status.Parser.ParseFrom(bytes).Details
                .FirstOrDefault(d => d.Is(BadRequest.Descriptor))?.Unpack<BadRequest>();
            return badRequest is null ? [] : [.. badRequest.FieldViolations.Select(Line)];
        }
        catch (Google.Protobuf.InvalidProtocolBufferException)
        {
            return [];
        }
    }

    private static string Line(BadRequest.Types.FieldViolation violation) =>
        violation.Description.StartsWith(violation.Field, StringComparison.Ordinal)
            ? violation.Description
            : $"{violation.Field}: {violation.Description}";
}
