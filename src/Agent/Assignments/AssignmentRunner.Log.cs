using Microsoft.Extensions.Logging;

namespace LoadHarness.Agent.Assignments;

internal static partial class AssignmentRunnerLog
{
    [LoggerMessage(EventId = 2001, Level = LogLevel.Warning, Message = "run {RunId}: assignment {Revision} refused: {Field}: {Reason} ({LeftOut} others since the last such line)")]
    public static partial void Refused(this ILogger log, string runId, string revision, string field, string reason, long leftOut);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Warning, Message = "run {RunId}: draining: {Reason}")]
    public static partial void DrainingLocally(this ILogger log, string runId, string reason);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Error, Message = "run {RunId}: the assignment could not be carried out; everything is closed")]
    public static partial void RunFailed(this ILogger log, Exception e, string runId);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Error, Message = "run {RunId}: telling the new status failed; the run goes on")]
    public static partial void TellingFailed(this ILogger log, Exception e, string runId);
}
