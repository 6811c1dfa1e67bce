using System.Globalization;
using System.Text;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>The directory of one local coordinator, ours for as long as this object lives; deleted when it is disposed.</summary>
public sealed class RunDirectory : IDisposable
{
    /// <summary>What names of run directories begin with.</summary>
    public const string NamePrefix = "run-";

    /// <summary>sun_path of unix(7) less its terminating zero, in bytes.</summary>
    private const int LongestSocketPath = 107;
    private const int Attempts = 5;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream _lock;

    private RunDirectory(RunPaths paths, FileStream held)
    {
        Paths = paths;
        _lock = held;
    }

    /// <summary>The files in it.</summary>
    public RunPaths Paths { get; }

    /// <summary>Makes a new one. Names sort by time.</summary>
    /// <exception cref="LocalFleetException">The root is not ours, the path is too long for a socket, or the disk refuses.</exception>
    public static RunDirectory Create(RuntimeRoot root, DateTimeOffset now)
    {
        root.Ensure();
        for (var attempt = 0; ; attempt++)
        {
            var time = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss.fff", CultureInfo.InvariantCulture);
            var name = $"{NamePrefix}{time}-{Environment.ProcessId}" + (attempt == 0 ? "" : $"-{attempt}");
            var paths = new RunPaths(Path.Combine(root.Path, name));
            RequireShort(paths.Socket);
            if (Directory.Exists(paths.Directory) && attempt < Attempts)
                continue;
            try
            {
                Directory.CreateDirectory(paths.Directory, OwnerOnly);
                return new(paths, TakeLock(paths.Lock));
            }
            catch (IOException) when (attempt < Attempts)
            {
                // Somebody cleaning up held the lock for a moment: take another name.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new LocalFleetException($"cannot make {paths.Directory}: {e.Message}; free some room, or set XDG_RUNTIME_DIR", e);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Directory.Delete(Paths.Directory, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next run's clean-up takes it.
        }

        _lock.Dispose();
    }

    private static FileStream TakeLock(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.Write,
        Share = FileShare.None,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    private static void RequireShort(string socketPath)
    {
        var length = Encoding.UTF8.GetByteCount(socketPath);
        if (length > LongestSocketPath)
        {
            throw new LocalFleetException(
                $"{socketPath} has {length} bytes; a Unix socket's path takes {LongestSocketPath}: set XDG_RUNTIME_DIR to a shorter directory");
        }
    }
}
