using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Verdicts;
using LoadHarness.V1;
using Status = Grpc.Core.Status;

namespace LoadHarness.Coordinator.Tests.Cli;

public class ExitCodeTests
{
    [Test]
    public void ByRank_Codes_AreAllAndInTheDocumentedOrder() =>
        Assert.That(ExitCodes.ByRank.Select(c => (int)c), Is.EqualTo(new[] { 130, 2, 7, 6, 5, 4, 3, 1, 0 }));

    [TestCase(ExitCode.Interrupted, ExitCode.GoalMissed, ExitCode.Interrupted)]
    [TestCase(ExitCode.Passed, ExitCode.ThresholdFailed, ExitCode.ThresholdFailed)]
    [TestCase(ExitCode.Internal, ExitCode.DoesNotFit, ExitCode.DoesNotFit)]
    public void First_TwoApply_TheHigherRankCounts(ExitCode one, ExitCode other, ExitCode expected)
    {
        Assert.That(ExitCodes.First(one, other), Is.EqualTo(expected));
        Assert.That(ExitCodes.First(other, one), Is.EqualTo(expected));
    }

    [TestCase(StatusCode.InvalidArgument, ExitCode.Invalid)]
    [TestCase(StatusCode.FailedPrecondition, ExitCode.DoesNotFit)]
    [TestCase(StatusCode.Unavailable, ExitCode.Unreachable)]
    [TestCase(StatusCode.Unauthenticated, ExitCode.Unreachable)]
    [TestCase(StatusCode.NotFound, ExitCode.Invalid)]
    [TestCase(StatusCode.PermissionDenied, ExitCode.Unreachable)]
    [TestCase(StatusCode.ResourceExhausted, ExitCode.Unreachable)]
    [TestCase(StatusCode.Internal, ExitCode.Internal)]
    [TestCase(StatusCode.Unknown, ExitCode.Internal)]
    public void Translate_Status_GivesCodeAndText(StatusCode status, ExitCode expected)
    {
        var error = ControlErrors.Translate(new RpcException(new Status(status, "the reason")), "the coordinator", answered: true);
        Assert.That(error.ExitCode, Is.EqualTo(expected));
        Assert.That(error.Message, Does.Contain("the reason"));
    }

    [Test]
    public void Translate_BadRequest_HasALineForEachField()
    {
        var details = new BadRequest
        {
            FieldViolations =
            {
                new BadRequest.Types.FieldViolation { Field = "spec.connections", Description = "is too large" },
                new BadRequest.Types.FieldViolation { Field = "--hold", Description = "--hold 5: has no unit" },
            },
        };
        var status = new Google.Rpc.Status { Code = 3, Details = { Any.Pack(details) } };
        var error = ControlErrors.Translate(new RpcException(
            new Status(StatusCode.InvalidArgument, "2 errors"), new Metadata { { "grpc-status-details-bin", status.ToByteArray() } }), "c", answered: true);
        Assert.That(error.ExitCode, Is.EqualTo(ExitCode.Invalid));
        Assert.That(error.Messages, Is.EqualTo(new[] { "spec.connections: is too large", "--hold 5: has no unit" }));
    }

    [TestCase("WRONG_STATE", ExitCode.Invalid)]
    [TestCase("DOES_NOT_FIT", ExitCode.DoesNotFit)]
    [TestCase("SOMETHING_LATER", ExitCode.DoesNotFit)]
    public void Translate_FailedPrecondition_IsToldApartByItsReason(string reason, ExitCode expected)
    {
        var status = new Google.Rpc.Status { Code = 9, Details = { Any.Pack(new ErrorInfo { Domain = "loadharness", Reason = reason }) } };
        var error = ControlErrors.Translate(new RpcException(
            new Status(StatusCode.FailedPrecondition, "why"), new Metadata { { "grpc-status-details-bin", status.ToByteArray() } }), "c", answered: true);
        Assert.That((error.ExitCode, error.Message), Is.EqualTo((expected, "why")));
    }

    [Test]
    public void Translate_GarbledDetails_FallsBackToTheStatus()
    {
        var error = ControlErrors.Translate(new RpcException(
            new Status(StatusCode.InvalidArgument, "wrong"), new Metadata { { "grpc-status-details-bin", new byte[] { 0xFF, 0xFF } } }), "c", answered: true);
        Assert.That(error.Messages, Is.EqualTo(new[] { "wrong" }));
    }

    [TestCase("""{"exitCode":4}""", ExitCode.GoalMissed)]
    [TestCase("""{"exitCode":0}""", ExitCode.Passed)]
    [TestCase("""{"exitCode":99}""", ExitCode.Internal)]
    [TestCase("""{}""", ExitCode.Internal)]
    [TestCase(null, ExitCode.Internal)]
    public void ExitCodeOf_Summary_IsWhatItNames(string? summary, ExitCode expected) =>
        Assert.That(RunReport.ExitCodeOf(new RunView { Id = "r", State = RunState.Completed, SummaryJson = summary }), Is.EqualTo(expected));
}
