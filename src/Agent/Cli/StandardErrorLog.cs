using System.Globalization;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Agent.Cli;

/// <summary>
/// Logs to standard error, one line an event: `12:34:56.789 WARN Link.AgentLink[2102] what happened`. Written by the thread that
/// logs.
/// </summary>
internal sealed class StandardErrorLog : ILoggerProvider
{
    private const string Namespace = "LoadHarness.Agent.";

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) =>
        new Logger(categoryName.StartsWith(Namespace, StringComparison.Ordinal) ? categoryName[Namespace.Length..] : categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private sealed class Logger(string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var time = DateTime.Now.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
            var cause = exception is null ? "" : $": {exception.GetType().Name}: {exception.Message}";
            var line = $"{time} {Name(logLevel)} {category}[{eventId.Id}] {formatter(state, exception)}{cause}";
            // One write a line, so that lines of several threads do not mix.
            Console.Error.WriteLine(line.ReplaceLineEndings(" "));
        }

        private static string Name(LogLevel level) => level switch
        {
            LogLevel.Trace => "TRACE",
            LogLevel.Debug => "DEBUG",
            LogLevel.Information => "INFO",
            LogLevel.Warning => "WARN",
            LogLevel.Error => "ERROR",
            _ => "FATAL",
        };
    }
}
