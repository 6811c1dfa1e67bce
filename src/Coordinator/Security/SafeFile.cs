using LoadHarness.Coordinator.Interop;

namespace LoadHarness.Coordinator.Security;

/// <summary>Files that hold secrets: closed to other users from their first byte, replaced as a whole or not at all.</summary>
public static class SafeFile
{
    /// <summary>0600.</summary>
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>0644.</summary>
    public const UnixFileMode Public = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>0700.</summary>
    public const UnixFileMode OwnerOnlyDirectory = OwnerOnly | UnixFileMode.UserExecute;

    // EAGAIN (errno(3)): what flock(2) answers when another process holds the file.
    private const int Held = 11;

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Whether other users may read, write or enter something.</summary>
    /// <exception cref="IOException">It is not there.</exception>
    public static bool IsOpenToOthers(string path) => (File.GetUnixFileMode(path) & Others) != 0;

    /// <summary>Reads a file that only its owner may read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it is, for messages: <c>key file</c>.</param>
    /// <param name="mostBytes">A larger one is none of ours.</param>
    /// <exception cref="CredentialException">It is missing, too large, cannot be read, or others may read it.</exception>
    public static string ReadSecret(string path, string what, int mostBytes)
    {
        try
        {
            if (IsOpenToOthers(path))
                throw new CredentialException($"{what} {path} is open to other users; it must be 0600: chmod 600 {path}");
            return Read(path, what, mostBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CredentialException($"cannot read {what} {path}: {e.Message}", e);
        }
    }

    /// <summary>Reads a file that anybody may read.</summary>
    /// <inheritdoc cref="ReadSecret"/>
    public static string Read(string path, string what, int mostBytes)
    {
        try
        {
            if (Directory.Exists(path))
                throw new CredentialException($"cannot read {what} {path}: it is a directory");
            // A named pipe would be waited for until somebody writes to it.
            if (FileOwner.IsNoRegularFile(path))
                throw new CredentialException($"cannot read {what} {path}: it is no regular file");
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > mostBytes)
                throw new CredentialException($"{what} {path} has {file.Length} bytes; at most {mostBytes} are allowed");
            return new StreamReader(file).ReadToEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CredentialException($"cannot read {what} {path}: {e.Message}", e);
        }
    }

    /// <summary>Writes a file; what lay there before is replaced as a whole: a reader sees the old one or the new one.</summary>
    /// <exception cref="CredentialException">It cannot be written.</exception>
    public static void Replace(string path, string what, string text, UnixFileMode mode) => Place(path, what, text, mode, overwrite: true);

    /// <summary>Writes a file that must not be there yet.</summary>
    /// <exception cref="CredentialException">It is there, or cannot be written.</exception>
    public static void Create(string path, string what, string text, UnixFileMode mode) => Place(path, what, text, mode, overwrite: false);

    /// <summary>Makes a directory for secrets, mode 0700; one that is there must already be this user's and closed to others.</summary>
    /// <exception cref="CredentialException">It is another user's, others may enter it, or it cannot be made.</exception>
    public static void PrepareDirectory(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory, OwnerOnlyDirectory);
            RequireOwn(directory);
            if (IsOpenToOthers(directory))
                throw new CredentialException($"directory {directory} is open to other users; it must be 0700: chmod 700 {directory}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CredentialException($"cannot make directory {directory}: {e.Message}", e);
        }
    }

    /// <summary>Demands that something is this user's: what another one owns that one may change, and what root leaves there its owner cannot read.</summary>
    /// <exception cref="CredentialException">It belongs to another user.</exception>
    public static void RequireOwn(string path)
    {
        var (owner, own) = (FileOwner.Of(path, follow: true), PeerCredentials.OwnUserId());
        if (owner != own)
        {
            throw new CredentialException(
                $"{path} belongs to user {owner}, and this is user {own}: run it as that user (sudo -u '#{owner}' loadharness ...), or name a place of your own");
        }
    }

    /// <summary>Takes a lock file, which is made when it is missing, until the result is disposed or the process ends.</summary>
    /// <returns>Null: another process has it.</returns>
    /// <exception cref="CredentialException">It cannot be used.</exception>
    public static FileStream? TryLock(string path)
    {
        // A named pipe would be waited for until somebody reads from it; a device belongs to all.
        if (FileOwner.IsNoRegularFile(path))
            throw new CredentialException($"cannot lock {path}: it is no regular file; remove it");
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.Write,
                Share = FileShare.None,
                UnixCreateMode = OwnerOnly,
            });
        }
        catch (IOException e) when (e.HResult == Held)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CredentialException($"cannot lock {path}: {e.Message}", e);
        }
    }

    private static void Place(string path, string what, string text, UnixFileMode mode, bool overwrite)
    {
        // Written beside and renamed: a reader never sees half of it, nor one with another mode.
        var beside = $"{path}.{Environment.ProcessId}";
        try
        {
            if (!overwrite && (File.Exists(path) || Directory.Exists(path)))
                throw new CredentialException($"{what} {path} is there already; remove it first, or give another place");
            File.Delete(beside);
            using (var file = new FileStream(beside, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
            }))
            {
                // Whatever the umask says: a certificate is for everybody, a key for nobody else.
                File.SetUnixFileMode(file.SafeFileHandle, mode);
                using var writer = new StreamWriter(file, leaveOpen: true);
                writer.Write(text);
                writer.Flush();
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CredentialException($"cannot write {what} {path}: {e.Message}", e);
        }
    }
}
