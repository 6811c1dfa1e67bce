using System.ComponentModel;
using System.Net.Sockets;
using LoadHarness.Coordinator.Interop;
using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>
/// Where the local runs of one user live: <c>${XDG_RUNTIME_DIR:-/tmp}/loadharness-UID</c>, mode 0700. In /tmp anybody
/// could have made it before us, so it is used only when it is ours.
/// </summary>
public sealed class RuntimeRoot
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>A directory without a lock file is somebody's half-made one until it is this old.</summary>
    private static readonly TimeSpan _unlockedGrace = TimeSpan.FromMinutes(1);

    /// <summary>A root at a given place.</summary>
    public RuntimeRoot(string path) => Path = path;

    /// <summary>The directory; it need not exist.</summary>
    public string Path { get; }

    /// <summary>The root of the user that runs this process.</summary>
    public static RuntimeRoot Default => Under(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), PeerCredentials.OwnUserId());

    /// <summary>The root of a user.</summary>
    /// <param name="runtimeDirectory">XDG_RUNTIME_DIR; null, empty or not there: /tmp.</param>
    /// <param name="userId">Part of the name, so that users do not meet in /tmp.</param>
    public static RuntimeRoot Under(string? runtimeDirectory, uint userId)
    {
        var parent = string.IsNullOrEmpty(runtimeDirectory) || !Directory.Exists(runtimeDirectory) ? "/tmp" : runtimeDirectory;
        return new(System.IO.Path.Combine(parent, $"loadharness-{userId}"));
    }

    /// <summary>Makes the root, or checks that the one that is there can be trusted.</summary>
    /// <exception cref="LocalFleetException">It is not ours, or cannot be made.</exception>
    public void Ensure()
    {
        try
        {
            Directory.CreateDirectory(Path, OwnerOnly);
            RequireOurs();
            File.SetUnixFileMode(Path, OwnerOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            throw new LocalFleetException(
                $"cannot use {Path} for the coordinator's socket: {e.Message}; set XDG_RUNTIME_DIR to a directory of yours", e);
        }
    }

    /// <summary>Directories of coordinators that answer on their socket, newest first.</summary>
    /// <exception cref="LocalFleetException">The root is not ours.</exception>
    public IReadOnlyList<RunPaths> FindLive()
    {
        if (!Directory.Exists(Path))
            return [];
        RequireOurs();
        return [.. RunDirectories().Where(p => IsListening(p.Socket)).OrderByDescending(p => p.Directory, StringComparer.Ordinal)];
    }

    /// <summary>
    /// Deletes what dead processes left behind: only directories named as ours, whose lock nobody holds (the kernel
    /// releases it with the process, in whatever way that ends) and on whose socket nobody listens.
    /// </summary>
    /// <param name="now">To tell an abandoned directory from one that is just being made.</param>
    /// <returns>What was deleted.</returns>
    public IReadOnlyList<string> RemoveStale(DateTimeOffset now)
    {
        if (!Directory.Exists(Path))
            return [];
        RequireOurs();
        return [.. RunDirectories().Where(p => RemoveIfStale(p, now)).Select(p => p.Directory)];
    }

    private IEnumerable<RunPaths> RunDirectories() =>
        new DirectoryInfo(Path).EnumerateDirectories($"{RunDirectory.NamePrefix}*")
            .Where(d => d.LinkTarget is null)
            .Select(d => new RunPaths(d.FullName));

    private static bool RemoveIfStale(RunPaths paths, DateTimeOffset now)
    {
        try
        {
            if (!File.Exists(paths.Lock))
            {
                if (now - Directory.GetLastWriteTimeUtc(paths.Directory) < _unlockedGrace || IsListening(paths.Socket))
                    return false;
                Directory.Delete(paths.Directory, recursive: true);
                return true;
            }

            // Held while deleting: whoever made the directory can no longer be alive.
            using var held = new FileStream(paths.Lock, FileMode.Open, FileAccess.Write, FileShare.None);
            if (IsListening(paths.Socket))
                return false;
            Directory.Delete(paths.Directory, recursive: true);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void RequireOurs()
    {
        const string remedy = "remove it, or set XDG_RUNTIME_DIR to a directory of yours";
        if (new DirectoryInfo(Path).LinkTarget is { } link)
            throw new LocalFleetException($"{Path} is a symbolic link to {link}; {remedy}");
        var (owner, we) = (FileOwner.Of(Path), PeerCredentials.OwnUserId());
        if (owner != we)
            throw new LocalFleetException($"{Path} belongs to user {owner}, not to you ({we}); {remedy}");
    }

    private static bool IsListening(string socketPath)
    {
        if (!File.Exists(socketPath))
            return false;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(socketPath));
            return true;
        }
        catch (Exception e) when (e is SocketException or ArgumentOutOfRangeException)
        {
            return false;
        }
    }
}
