using System.Globalization;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>Writes events to a file of mode 0600: a local coordinator shares its terminal with the live view.</summary>
public sealed class FileLog : ILoggerProvider
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly StreamWriter _writer;
    private bool _disposed;

    /// <summary>Opens a new file.</summary>
    public FileLog(string path, TimeProvider time)
    {
        _time = time;
        _writer = new StreamWriter(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        })
        { AutoFlush = true };
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _writer.Dispose();
        }
    }

    private void Write(string category, LogLevel level, EventId id, string message, Exception? exception)
    {
        var time = _time.GetUtcNow().UtcDateTime.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
        lock (_gate)
        {
            if (_disposed)
                return;
            _writer.WriteLine($"{time} {level} {category}[{id.Id}] {message}");
            if (exception is not null)
                _writer.WriteLine(exception);
        }
    }

    private sealed class Category(FileLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Write(name, logLevel, eventId, formatter(state, exception), exception);
    }
}
