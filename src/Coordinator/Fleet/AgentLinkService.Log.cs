using LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

public sealed partial class AgentLinkService
{
    [LoggerMessage(1001, LogLevel.Information, "Agent {AgentId} on {Host} attached")]
    private static partial void LogAttached(ILogger log, string agentId, string host);

    [LoggerMessage(1002, LogLevel.Information, "Agent {AgentId} detached: {Reason}")]
    private static partial void LogDetached(ILogger log, string agentId, string reason);

    [LoggerMessage(1003, LogLevel.Warning, "An agent was refused ({Code}): {Reason} ({LeftOut} others since the last such line)")]
    private static partial void LogRefused(ILogger log, Refusal.Types.Code code, string reason, long leftOut);

    [LoggerMessage(1004, LogLevel.Warning, "Agent {AgentId} breaks the contract: {Problem} ({LeftOut} others since the last such line)")]
    private static partial void LogMisbehaved(ILogger log, string agentId, string problem, long leftOut);

    [LoggerMessage(1005, LogLevel.Warning, "An agent was refused: {Reason}")]
    private static partial void LogNotEnrolled(ILogger log, string reason);

    [LoggerMessage(1006, LogLevel.Error, "Agent {AgentId} cannot be enrolled: its key cannot be kept")]
    private static partial void LogNotBound(ILogger log, Exception exception, string agentId);
}
