using System.CommandLine;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>
/// The file that <c>--hlog</c> names: it takes the latencies of a run in HdrHistogram's log format. It is made before anything else is done, so
/// that nobody hears only at the end of a run that there can be no such file; one that was not filled is removed.
/// </summary>
internal sealed class LatencyFile : IDisposable
{
    private const string Name = "--hlog";

    private readonly string _path;
    private readonly FileStream _stream;
    private bool _filled;

    private LatencyFile(string path, FileStream stream) => (_path, _stream) = (path, stream);

    /// <summary>The option.</summary>
    public static Option<string> Option() => VerbOptions.Text(
        Name, "FILE", "Write the latencies by 10 s to a new file in HdrHistogram's log format (.hlog, microseconds)");

    /// <summary>What is wrong with the name of a file, without touching it.</summary>
    public static IEnumerable<SpecError> Check(string? path)
    {
        if (path is null)
            yield break;
        if (string.IsNullOrWhiteSpace(path) || path.Contains('\0', StringComparison.Ordinal))
            yield return new(Name, path, "names no file", "", "Name a new file: --hlog run.hlog");
        else if (Path.Exists(path))
            yield return new(Name, path, "exists already, and what is in it may be of use", "", "Name a new file, or remove this one");
        else if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            yield return new(Name, path, "is in a directory that does not exist", "", "Make the directory, or name another file");
    }

    /// <summary>Makes the file; none without a name.</summary>
    /// <exception cref="CliException">It cannot be made.</exception>
    public static LatencyFile? Create(string? path)
    {
        if (path is null)
            return null;
        try
        {
            return new(path, new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Invalid, $"{Name} {path}: it cannot be made: {e.Message.TrimEnd('.')}. Name another file", e);
        }
    }

    /// <summary>Fills it with what a run has measured.</summary>
    /// <exception cref="CliException">There is nothing to be had, or no room for it; there is no file then.</exception>
    public async Task FillAsync(ControlClient client, string runId, CancellationToken cancel)
    {
        try
        {
            using var writer = new StreamWriter(_stream, leaveOpen: true);
            await foreach (var text in client.GetRunLatencyLogAsync(runId, cancel))
                await writer.WriteAsync(text.AsMemory(), cancel);
            await writer.FlushAsync(cancel);
            _stream.Flush(flushToDisk: true);
            if (!File.Exists(_path))
                throw new IOException("somebody removed the file meanwhile");
            _filled = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.Internal, $"{Name} {_path}: the latencies cannot be written: {e.Message.TrimEnd('.')}", e);
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Fills it at the end of a run, whose report is there already. What goes wrong is said.</summary>
    /// <param name="client">Of the coordinator.</param>
    /// <param name="runId">The run.</param>
    /// <param name="context">Streams.</param>
    /// <param name="again">How to ask a coordinator again that keeps the run; null: it ends now, and what it has is put elsewhere.</param>
    /// <returns>What becomes of the run's exit code.</returns>
    public async Task<ExitCode> KeepAsync(ControlClient client, string runId, CliContext context, string? again)
    {
        try
        {
            await FillAsync(client, runId, context.Interrupts.Second);
            context.Error.WriteLine($"latencies: {_path}");
            return ExitCode.Passed;
        }
        catch (Exception e) when (e is CliException or OperationCanceledException)
        {
            var code = (e as CliException)?.ExitCode ?? ExitCode.Interrupted;
            context.Error.WriteLine($"{CommandLine.Program}: {e.Message}");
            if (again is not null)
                context.Error.WriteLine($"the coordinator still has the latencies; ask for them again: {again} {Name} FILE");
            else if (code == ExitCode.Internal)
                await SaveAsync(client, runId, context);
            return code;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            if (!_filled)
                File.Delete(_path);
            _stream.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What could not be written was told; an empty or broken file stays.
        }
    }

    private static async Task SaveAsync(ControlClient client, string runId, CliContext context)
    {
        var other = Path.Combine(Path.GetTempPath(), $"loadharness-{runId}.hlog");
        try
        {
            using var file = Create(other)!;
            await file.FillAsync(client, runId, context.Interrupts.Second);
            context.Error.WriteLine($"latencies: {other}, since the coordinator of this run ends now");
        }
        catch (CliException e)
        {
            context.Error.WriteLine($"{CommandLine.Program}: {e.Message}");
        }
    }
}
