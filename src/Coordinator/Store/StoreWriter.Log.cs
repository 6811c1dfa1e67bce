namespace LoadHarness.Coordinator.Store;

internal sealed partial class StoreWriter
{
    [LoggerMessage(1301, LogLevel.Error,
        "The store {Path} cannot be written: {Problem}. Runs go on and agents keep their samples; it is tried again each second")]
    private static partial void LogCannotWrite(ILogger log, string path, string problem);

    [LoggerMessage(1302, LogLevel.Warning, "The store {Path} can be written again")]
    private static partial void LogCanWrite(ILogger log, string path);

    [LoggerMessage(1303, LogLevel.Error, "The store {Path} refuses a row")]
    private static partial void LogRefused(ILogger log, Exception e, string path);

    [LoggerMessage(1304, LogLevel.Error, "The store {Path} was closed with {Count} rows that could not be written: {Problem}")]
    private static partial void LogLeft(ILogger log, string path, int count, string problem);

    [LoggerMessage(1305, LogLevel.Error, "{Problem}")]
    private static partial void LogTaken(ILogger log, string problem);
}
