namespace LoadHarness.Coordinator.Runs;

public sealed partial class RunController
{
    [LoggerMessage(1201, LogLevel.Information, "Run {RunId} is {State} {Reason}")]
    private static partial void LogState(ILogger log, string runId, RunState state, string reason);

    [LoggerMessage(1202, LogLevel.Warning, "Run {RunId} lost agent {AgentId}: {How}")]
    private static partial void LogLost(ILogger log, string runId, string agentId, string how);

    [LoggerMessage(1203, LogLevel.Error, "Run {RunId} broke off")]
    private static partial void LogBroken(ILogger log, Exception e, string runId);

    [LoggerMessage(1204, LogLevel.Warning, "Run {RunId} goes on as {State} after a restart of the coordinator; {Count} agents are waited for")]
    private static partial void LogResumed(ILogger log, string runId, RunState state, int? count);
}
