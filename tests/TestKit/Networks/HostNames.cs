namespace LoadHarness.TestKit.Networks;

/// <summary>
/// The /etc/hosts of one namespace. Programs see it that are started by <c>ip netns exec</c>, which puts the files of
/// /etc/netns/NAME over those of /etc.
/// </summary>
public sealed class HostNames : IDisposable
{
    private readonly string _directory;

    /// <summary>Gives a namespace a file of its own; it holds no name yet.</summary>
    public HostNames(NetworkNamespace space)
    {
        _directory = $"/etc/netns/{space.Name}";
        Directory.CreateDirectory(_directory);
        File.WriteAllText(Path, "");
    }

    /// <summary>From the next lookup on a name means this address and no other.</summary>
    public void Set(string address, string name)
    {
        // In place: the file that was bound over /etc/hosts must stay the same one.
        using var file = new FileStream(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Write(System.Text.Encoding.ASCII.GetBytes($"{address} {name}\n"));
        file.SetLength(file.Position);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string Path => System.IO.Path.Combine(_directory, "hosts");
}
