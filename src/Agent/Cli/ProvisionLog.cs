using Microsoft.Extensions.Logging;

namespace LoadHarness.Agent.Cli;

internal static partial class ProvisionLog
{
    [LoggerMessage(EventId = 2301, Level = LogLevel.Warning, Message = "{What}")]
    public static partial void Provisioned(this ILogger log, string what);
}
