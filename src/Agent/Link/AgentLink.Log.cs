using LoadHarness.Protos;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Agent.Link;

public sealed partial class AgentLink
{
    [LoggerMessage(2101, LogLevel.Information, "Attached to {Coordinator} as {AgentId}")]
    private static partial void LogAttached(ILogger log, CoordinatorAddress coordinator, string agentId);

    [LoggerMessage(2102, LogLevel.Warning, "Lost {Coordinator}: {Reason}; the work goes on, attaching again")]
    private static partial void LogLost(ILogger log, CoordinatorAddress coordinator, string reason);

    [LoggerMessage(2103, LogLevel.Warning, "Cannot attach to {Coordinator}: {Reason}; trying again until it answers")]
    private static partial void LogUnreachable(ILogger log, CoordinatorAddress coordinator, string reason);

    [LoggerMessage(2104, LogLevel.Debug, "Attempt {Attempt} to attach to {Coordinator} failed: {Reason}")]
    private static partial void LogAttempt(ILogger log, int attempt, CoordinatorAddress coordinator, string reason);

    [LoggerMessage(2105, LogLevel.Warning, "Refused assignment {Revision} of run {RunId}: {Field}: {Problem} ({LeftOut} others since the last such line)")]
    internal static partial void LogRefusedAssignment(ILogger log, Revision revision, string runId, string field, string problem, long leftOut);

    [LoggerMessage(2106, LogLevel.Debug, "The upload of samples broke: {Reason}; making it again")]
    internal static partial void LogUploadBroken(ILogger log, string reason);

    [LoggerMessage(2107, LogLevel.Warning, "No word from the coordinator for the whole lease: draining")]
    internal static partial void LogLeaseEnded(ILogger log);

    [LoggerMessage(2108, LogLevel.Information, "Left {Coordinator}: {Reason}")]
    private static partial void LogLeft(ILogger log, CoordinatorAddress coordinator, string reason);

    [LoggerMessage(2109, LogLevel.Error, "Assignment {Revision} of run {RunId} could not be taken")]
    internal static partial void LogApplyFailed(ILogger log, Exception failure, Revision revision, string runId);

    [LoggerMessage(2110, LogLevel.Warning, "Enrolled, but that cannot be noted: the next start sends the join token again: {Reason}")]
    private static partial void LogNotKept(ILogger log, string reason);
}
