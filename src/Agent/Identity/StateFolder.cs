using System.Globalization;
using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Identity;

/// <summary>
/// What an agent keeps over restarts: its key, its identity, and with which coordinator it is enrolled. One process at a time.
/// </summary>
public sealed class StateFolder : IDisposable
{
    private const string Program = "loadharness-agent";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream _lock;

    private StateFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The private key, PEM.</summary>
    public string KeyPath => FileOf("agent.key");

    /// <summary>The identity that was kept; null when there is none yet.</summary>
    public string? Identity => ReadLine("identity");

    private string EnrolledPath => FileOf("enrolled");

    /// <summary>Where the folder is when nobody says: as systemd has it, else by the user that runs this.</summary>
    /// <param name="environment">Reads a variable.</param>
    /// <param name="isRoot">Whether this is root.</param>
    public static string DefaultPath(Func<string, string?> environment, bool isRoot)
    {
        if (environment("STATE_DIRECTORY") is { Length: > 0 } systemd)
            return systemd.Split(':')[0];
        if (isRoot)
            return $"/var/lib/{Program}";
        var home = environment("XDG_STATE_HOME") is { Length: > 0 } state
            ? state
            : System.IO.Path.Combine(environment("HOME") ?? "/", ".local", "state");
        return System.IO.Path.Combine(home, Program);
    }

    /// <summary>Opens the folder, made with mode 0700 when there is none, and locks it until disposed.</summary>
    /// <exception cref="IdentityException">It cannot be used, others may write to it, or another process uses it.</exception>
    public static StateFolder Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            if (!Directory.Exists(path))
                Directory.CreateDirectory(path, Private);
            const UnixFileMode others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
            if ((File.GetUnixFileMode(path) & others) != 0)
                throw new IdentityException($"state folder {path} can be changed by other users; it must be 0700: chmod 700 {path}");
            return new(path, Lock(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IdentityException(
                $"state folder {path} cannot be used: {e.Message} Name one that this user may write to: --state DIR");
        }
    }

    /// <summary>Keeps the identity for later starts.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void KeepIdentity(string id)
    {
        if (Identity != id)
            SecretFile.Write(FileOf("identity"), id + "\n");
    }

    /// <summary>Whether a coordinator has taken this identity on: then its key is enough, and no join token is sent.</summary>
    public bool IsEnrolled(string id) => ReadLine("enrolled") == id;

    /// <summary>Remembers that a coordinator has taken this identity on.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void MarkEnrolled(string id)
    {
        if (!IsEnrolled(id))
            SecretFile.Write(EnrolledPath, id + "\n");
    }

    /// <summary>Lets the next process use the folder.</summary>
    public void Dispose() => _lock.Dispose();

    // The lock is the kernel's and ends with the process; the number beside it only serves the message.
    private static FileStream Lock(string path)
    {
        var file = System.IO.Path.Combine(path, "lock");
        var holder = System.IO.Path.Combine(path, "pid");
        FileStream held;
        try
        {
            held = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult == Errno.EAGAIN)
        {
            var pid = File.Exists(holder) ? File.ReadAllText(holder).Trim() : "unknown";
            throw new IdentityException(
                $"state folder {path} is in use by process {pid}: stop that agent, or give this one a folder of its own: "
                + "--state DIR --id NAME");
        }

        File.WriteAllText(holder, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        return held;
    }

    private string FileOf(string name) => System.IO.Path.Combine(Path, name);

    private string? ReadLine(string name)
    {
        try
        {
            return File.ReadAllText(FileOf(name)).Trim() is { Length: > 0 } line ? line : null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IdentityException($"{FileOf(name)} cannot be read: {e.Message}");
        }
    }
}
