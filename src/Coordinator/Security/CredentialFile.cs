namespace LoadHarness.Coordinator.Security;

/// <summary>Where a credential lies: a file of mode 0600 in a directory of mode 0700.</summary>
public static class CredentialFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyDirectory = OwnerOnly | UnixFileMode.UserExecute;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>Makes a directory for sockets and credentials, mode 0700; an existing one must already be closed to others.</summary>
    /// <exception cref="CredentialException">Others may enter it, or it cannot be made.</exception>
    public static void PrepareDirectory(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory, OwnerOnlyDirectory);
            if ((File.GetUnixFileMode(directory) & Others) != 0)
                throw new CredentialException($"directory {directory} is open to other users; it must be 0700: chmod 700 {directory}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CredentialException($"cannot make directory {directory}: {e.Message}", e);
        }
    }

    /// <summary>Writes a credential to a new file; what lay there before is replaced as a whole.</summary>
    /// <exception cref="CredentialException">It cannot be written.</exception>
    public static void Write(string path, Credential credential)
    {
        // Written beside and renamed: a reader sees the old one or the new one, and never a file that others may read.
        var beside = path + "." + Environment.ProcessId;
        try
        {
            File.Delete(beside);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
            using (var writer = new StreamWriter(beside, options))
                writer.WriteLine(credential.Value);
            File.Move(beside, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CredentialException($"cannot write credential file {path}: {e.Message}", e);
        }
    }

    /// <summary>Reads a credential, as a client does before it dials.</summary>
    /// <exception cref="CredentialException">There is none, others may read it, or it is no credential.</exception>
    public static Credential Read(string path)
    {
        try
        {
            if ((File.GetUnixFileMode(path) & Others) != 0)
                throw new CredentialException($"credential file {path} is open to other users; it must be 0600: chmod 600 {path}");
            return Credential.Parse(File.ReadAllText(path));
        }
        catch (FormatException e)
        {
            throw new CredentialException($"credential file {path}: {e.Message}; start the coordinator again to write a new one", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CredentialException($"credential file {path} is missing; is a coordinator running under this user?", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CredentialException($"cannot read credential file {path}: {e.Message}", e);
        }
    }
}
