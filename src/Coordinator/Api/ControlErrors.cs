using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using LoadHarness.Coordinator.Runs;
using Status = Grpc.Core.Status;

namespace LoadHarness.Coordinator.Api;

/// <summary>What is wrong with a request, as gRPC says it.</summary>
internal static class ControlErrors
{
    private const string DetailsTrailer = "grpc-status-details-bin";
    private const string Domain = "loadharness";

    // Trailers have a limit of some kilobytes; a request with more errors than fit is wrong enough.
    private const int MostViolations = 20;
    private const int LongestMessage = 1000;

    /// <summary>INVALID_ARGUMENT with one violation for each wrong field.</summary>
    public static RpcException BadRequest(IReadOnlyCollection<(string Field, string Message)> violations)
    {
        var detail = Bounded(string.Join(" ", violations.Take(MostViolations).Select(v => v.Message)));
        var request = new BadRequest();
        request.FieldViolations.AddRange(violations.Take(MostViolations).Select(
            v => new BadRequest.Types.FieldViolation { Field = v.Field, Description = v.Message }));
        var status = new Google.Rpc.Status { Code = (int)StatusCode.InvalidArgument, Message = detail, Details = { Any.Pack(request) } };
        return new RpcException(
            new Status(StatusCode.InvalidArgument, detail), new Metadata { { DetailsTrailer, status.ToByteArray() } });
    }

    /// <summary>Does something and says in gRPC's terms why it was not done.</summary>
    public static async Task<T> CatchAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (RunRejectedException e)
        {
            throw Rejected(e);
        }
    }

    /// <summary>The status code is for every client, the reason for those that tell rejections of one code apart.</summary>
    private static RpcException Rejected(RunRejectedException rejection)
    {
        var (code, detail) = (CodeOf(rejection.Kind), Bounded(rejection.Message));
        var info = new ErrorInfo { Domain = Domain, Reason = JsonNamingPolicy.SnakeCaseUpper.ConvertName(rejection.Kind.ToString()) };
        var status = new Google.Rpc.Status { Code = (int)code, Message = detail, Details = { Any.Pack(info) } };
        return new RpcException(new Status(code, detail), new Metadata { { DetailsTrailer, status.ToByteArray() } });
    }

    private static StatusCode CodeOf(RunRejection kind) => kind switch
    {
        RunRejection.Invalid => StatusCode.InvalidArgument,
        RunRejection.Unknown => StatusCode.NotFound,
        RunRejection.Unavailable => StatusCode.Unavailable,
        _ => StatusCode.FailedPrecondition,
    };

    /// <summary>Whole sentences, and a word about those that are left out; one that is longer than all that fits is cut.</summary>
    internal static string Bounded(string text)
    {
        if (text.Length <= LongestMessage)
            return text;
        var end = text.LastIndexOf(". ", LongestMessage - 1, StringComparison.Ordinal);
        return end > 0 ? $"{text[..(end + 1)]} (There is more; it was cut here.)" : text[..LongestMessage] + "...";
    }
}
