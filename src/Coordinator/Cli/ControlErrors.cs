using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>What a failed call means to a user.</summary>
internal static class ControlErrors
{
    private const string DetailsTrailer = "grpc-status-details-bin";

    // google.rpc.ErrorInfo.reason, as the coordinator writes it.
    private const string WrongState = "WRONG_STATE";

    /// <param name="error">What a call ended with.</param>
    /// <param name="coordinator">How the coordinator is called in messages.</param>
    /// <param name="answered">Whether it has answered before: then it is one, and speaks as we do.</param>
    public static CliException Translate(RpcException error, string coordinator, bool answered)
    {
        if (Causes(error).OfType<ChannelException>().FirstOrDefault() is { } channel)
            return new CliException(ExitCode.Unreachable, channel.Message, error) { MayPass = channel.MayPass };
        var request = Detail(error, BadRequest.Parser, BadRequest.Descriptor);
        if (request is { FieldViolations.Count: > 0 })
            return new CliException(ExitCode.Invalid, request.FieldViolations.Select(Line));
        var reason = Detail(error, ErrorInfo.Parser, ErrorInfo.Descriptor)?.Reason;
        var status = StatusOf(error);
        return new CliException(CodeOf(status, reason), TextOf(error, status, coordinator, answered, reason), error)
        {
            MayPass = status == StatusCode.Unavailable && reason is null,
        };
    }

    // What is no HTTP/2 is an internal error to gRPC, and a connection that ends instead is nobody there: which of them comes first is chance.
    private static StatusCode StatusOf(RpcException error) =>
        error.StatusCode == StatusCode.Internal && Causes(error).Any(c => c is HttpRequestException) ? StatusCode.Unavailable : error.StatusCode;

    private static ExitCode CodeOf(StatusCode status, string? reason) => status switch
    {
        StatusCode.InvalidArgument or StatusCode.NotFound => ExitCode.Invalid,
        StatusCode.FailedPrecondition when reason == WrongState => ExitCode.Invalid,
        StatusCode.FailedPrecondition => ExitCode.DoesNotFit,
        StatusCode.Unavailable or StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.DeadlineExceeded
            or StatusCode.ResourceExhausted or StatusCode.Unimplemented => ExitCode.Unreachable,
        _ => ExitCode.Internal,
    };

    private static string TextOf(RpcException error, StatusCode status, string coordinator, bool answered, string? reason)
    {
        var detail = error.Status.Detail;
        return status switch
        {
            StatusCode.Unavailable when reason is not null => detail,
            StatusCode.Unavailable when !answered && IsUnintelligible(error) =>
                $"{coordinator} was reached and answers, but not in plain HTTP/2; if it speaks TLS write https:// and give its CA "
                + $"with --ca FILE ({error.GetBaseException().Message})",
            StatusCode.Unavailable => $"{coordinator} does not answer: {detail}",
            StatusCode.Unauthenticated => $"{coordinator} does not take the token: {detail}",
            StatusCode.PermissionDenied => $"{coordinator} does not allow that: {detail}",
            StatusCode.ResourceExhausted => $"{coordinator} has more to do than it takes: {detail}; try again a little later",
            StatusCode.Unimplemented => $"{coordinator} does not know this call: {detail}; is it one, and of this version?",
            StatusCode.Internal or StatusCode.Unknown => $"{coordinator} failed: {detail}",
            _ => detail,
        };
    }

    private static T? Detail<T>(RpcException error, MessageParser<T> parser, MessageDescriptor descriptor)
        where T : class, IMessage<T>
    {
        if (error.Trailers.GetValueBytes(DetailsTrailer) is not { } bytes)
            return null;
        try
        {
            return Google.Rpc.Status.Parser.ParseFrom(bytes).Details.FirstOrDefault(d => d.Is(descriptor)) is { } any
                ? parser.ParseFrom(any.Value)
                : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static string Line(BadRequest.Types.FieldViolation violation) =>
        violation.Description.StartsWith(violation.Field, StringComparison.Ordinal)
            ? violation.Description
            : $"{violation.Field}: {violation.Description}";

    private static bool IsUnintelligible(RpcException error) =>
        !Causes(error).Any(c => c is SocketException) && Causes(error).Any(c => c is HttpRequestException);

    private static IEnumerable<Exception> Causes(RpcException error)
    {
        for (var inner = error.Status.DebugException ?? error.InnerException; inner is not null; inner = inner.InnerException)
            yield return inner;
    }
}
