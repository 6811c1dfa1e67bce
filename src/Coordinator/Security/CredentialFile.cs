namespace LoadHarness.Coordinator.Security;

/// <summary>Where a credential lies: a file of mode 0600 in a directory of mode 0700.</summary>
public static class CredentialFile
{
    private const string What = "credential file";
    private const int MostBytes = 4096;

    /// <summary>Writes a credential to a new file; what lay there before is replaced as a whole.</summary>
    /// <exception cref="CredentialException">It cannot be written.</exception>
    public static void Write(string path, Credential credential) =>
        SafeFile.Replace(path, What, credential.Value + Environment.NewLine, SafeFile.OwnerOnly);

    /// <summary>The credential that lies there; where there is no file, a new one that does from now on.</summary>
    /// <exception cref="CredentialException">It is another user's or others may read it, it is no credential, or it cannot be written.</exception>
    public static Credential Keep(string path)
    {
        if (File.Exists(path))
        {
            SafeFile.RequireOwn(path);
            return Read(path);
        }

        var credential = Credential.Generate();
        Write(path, credential);
        return credential;
    }

    /// <summary>Reads a credential, as a client does before it dials.</summary>
    /// <exception cref="CredentialException">There is none, others may read it, or it is no credential.</exception>
    public static Credential Read(string path)
    {
        try
        {
            if (SafeFile.IsOpenToOthers(path))
                throw new CredentialException($"credential file {path} is open to other users; it must be 0600: chmod 600 {path}");
            return Credential.Parse(SafeFile.Read(path, What, MostBytes));
        }
        catch (FormatException e)
        {
            throw new CredentialException($"credential file {path}: {e.Message}; remove it and start the coordinator again to write a new one", e);
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
