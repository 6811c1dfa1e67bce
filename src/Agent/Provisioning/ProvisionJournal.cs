using System.Globalization;
using System.Text;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Provisioning;

/// <summary>
/// What this process has added to the host, on disk before it is there: whatever ends the process, a later agent finds it and cleans up.
/// One file a process, locked by it for as long as it lives.
/// </summary>
/// <param name="folder">Where the journals of this host's agents are; made when it is needed.</param>
/// <param name="networkNamespace">Boot id and namespace cookie: addresses of another namespace or boot are not ours to touch.</param>
internal sealed class ProvisionJournal(string folder, string networkNamespace) : IDisposable
{
    private const string Suffix = ".journal";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private FileStream? _file;

    /// <summary>Writes down what is about to be added, in place of what was there.</summary>
    /// <exception cref="IOException">It cannot be kept: then nothing may be added.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public void Write(IEnumerable<ProvisionedAddress> addresses)
    {
        var text = new StringBuilder().Append(networkNamespace).Append('\n');
        foreach (var (address, device) in addresses)
            text.Append(CultureInfo.InvariantCulture, $"{address} {device}\n");
        if (_file is null)
        {
            Directory.CreateDirectory(folder, Private | UnixFileMode.UserExecute);
            _file = new FileStream(Path.Combine(folder, $"{Guid.NewGuid():N}{Suffix}"), new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = Private,
            });
        }

        // In place: a list that is cut short by a power failure belongs to addresses that this failure has removed.
        _file.SetLength(0);
        _file.Write(Encoding.UTF8.GetBytes(text.ToString()));
        _file.Flush(flushToDisk: true);
    }

    /// <summary>Nothing of ours is left on the host.</summary>
    public void Clear()
    {
        if (_file is null)
            return;
        File.Delete(_file.Name);
        _file.Dispose();
        _file = null;
    }

    /// <summary>Lets others clean up what is still written down.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    /// <summary>What dead agents of this namespace have left, by file. The files stay locked until they are disposed.</summary>
    public IEnumerable<(FileStream File, List<ProvisionedAddress> Addresses)> Dead()
    {
        if (!Directory.Exists(folder))
            yield break;
        foreach (var path in Directory.EnumerateFiles(folder, "*" + Suffix))
        {
            if (Lock(path) is not { } file)
                continue;
            var lines = Read(file).Split('\n');
            if (lines[0] == networkNamespace)
                yield return (file, Parse(lines));
            else if (BootOf(lines[0]) != BootOf(networkNamespace))
                File.Delete(path);
            file.Dispose();
        }
    }

    // A file that is locked has a living owner; one that is gone by now was its owner's to delete.
    private static FileStream? Lock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is FileNotFoundException || e.HResult == Errno.EAGAIN)
        {
            return null;
        }
    }

    private static string Read(FileStream file)
    {
        using var reader = new StreamReader(file, Encoding.UTF8, leaveOpen: true);
        return reader.ReadToEnd();
    }

    // What follows the last line feed was not written whole.
    private static List<ProvisionedAddress> Parse(string[] lines)
    {
        var addresses = new List<ProvisionedAddress>();
        foreach (var line in lines[1..^1])
        {
            var words = line.Split(' ');
            if (words.Length == 2 && System.Net.IPAddress.TryParse(words[0], out var address))
                addresses.Add(new(IpAddress.FromBytes(address.GetAddressBytes()), words[1]));
        }

        return addresses;
    }

    private static string BootOf(string networkNamespace) => networkNamespace.Split('/')[0];
}
