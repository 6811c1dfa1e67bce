using System.Globalization;

namespace LoadHarness.Coordinator.Security;

/// <summary>What a coordinator keeps on disk; see docs/design/fleet.md.</summary>
/// <param name="Path">The folder, mode 0700; absolute.</param>
public sealed record StateDirectory(string Path)
{
    /// <summary>What names this folder to other verbs, for messages: <c> --state DIR</c>; empty when they find it by themselves.</summary>
    public string Option { get; init; } = "";

    /// <summary>Runs, plan revisions, samples, enrolled keys.</summary>
    public string Store => System.IO.Path.Combine(Path, "store.db");

    /// <summary>What agents and users of this host send. Kept over restarts, so that agents are let in again by what they have.</summary>
    public string Credential => System.IO.Path.Combine(Path, "credential");

    /// <summary>Tokens of users and join tokens, as hashes.</summary>
    public string Tokens => System.IO.Path.Combine(Path, "tokens.json");

    /// <summary>The certificate authority's certificate.</summary>
    public string CaCertificate => System.IO.Path.Combine(Path, "ca", "ca.pem");

    /// <summary>The certificate authority's key.</summary>
    public string CaKey => System.IO.Path.Combine(Path, "ca", "ca.key");

    /// <summary>The listeners' certificate, when none is named.</summary>
    public string ServerCertificate => System.IO.Path.Combine(Path, "tls", "server.pem");

    /// <summary>Its key.</summary>
    public string ServerKey => System.IO.Path.Combine(Path, "tls", "server.key");

    /// <summary>Where certificates that were issued to agents go, when no place is named.</summary>
    public string Issued => System.IO.Path.Combine(Path, "issued");

    private const int LongestPid = 20;

    private string LockFile => System.IO.Path.Combine(Path, "lock");

    private string OwnerFile => System.IO.Path.Combine(Path, "owner");

    /// <summary>
    /// The folder to use: the one that is named; else STATE_DIRECTORY, as systemd sets it; else /var/lib/loadharness for
    /// root, and $XDG_STATE_HOME/loadharness (~/.local/state) for others.
    /// </summary>
    /// <param name="named">By --state; null or empty when it was not given.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <param name="userId">Of this process.</param>
    /// <exception cref="CredentialException">A user other than root has no home.</exception>
    public static StateDirectory Resolve(string? named, Func<string, string?> variable, uint userId)
    {
        if (!string.IsNullOrEmpty(named))
        {
            var folder = Of(named);
            return folder with { Option = $" --state {folder.Path}" };
        }

        // systemd lists several, separated by colons, when a unit asks for several; ours is the first.
        if (variable("STATE_DIRECTORY") is { Length: > 0 } given)
            return Of(given.Split(':')[0]);
        if (userId == 0)
            return Of("/var/lib/loadharness");
        if (variable("XDG_STATE_HOME") is { Length: > 0 } state && System.IO.Path.IsPathRooted(state))
            return Of(System.IO.Path.Combine(state, "loadharness"));
        return variable("HOME") is { Length: > 0 } home
            ? Of(System.IO.Path.Combine(home, ".local", "state", "loadharness"))
            : throw new CredentialException("there is no place for the state folder: HOME is not set; give one with --state DIR");
    }

    /// <summary>As <see cref="Resolve(string?, Func{string, string?}, uint)"/>, from this process's environment.</summary>
    public static StateDirectory Resolve(string? named) =>
        Resolve(named, Environment.GetEnvironmentVariable, PeerCredentials.OwnUserId());

    /// <summary>Makes the folder when it is missing.</summary>
    /// <exception cref="CredentialException">Others may enter it, or it cannot be made.</exception>
    public void Prepare() => SafeFile.PrepareDirectory(Path);

    /// <summary>Takes the folder for one coordinator, until the result is disposed or the process ends.</summary>
    /// <exception cref="CredentialException">Another process has it, whose id the message names, or it cannot be used.</exception>
    public IDisposable Lock()
    {
        Prepare();
        var held = SafeFile.TryLock(LockFile) ?? throw new CredentialException(
            $"state folder {Path} is in use by another coordinator{Owner()}; end that one, or give another folder with --state");
        try
        {
            SafeFile.Replace(OwnerFile, "file", Environment.ProcessId.ToString(CultureInfo.InvariantCulture), SafeFile.OwnerOnly);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static StateDirectory Of(string path) => new(System.IO.Path.GetFullPath(path));

    private string Owner()
    {
        try
        {
            return SafeFile.Read(OwnerFile, "file", LongestPid) is { Length: > 0 } pid ? $" (process {pid.Trim()})" : "";
        }
        catch (CredentialException)
        {
            return "";
        }
    }
}
