using System.Text;

namespace LoadHarness.Agent.Identity;

/// <summary>Files with secrets in them: one that others may read or change is refused, not used.</summary>
public static class SecretFile
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    private const long MostBytes = 1 << 20;

    /// <summary>Reads a secret of one line.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it is, for messages: `join token file`.</param>
    /// <exception cref="SecretFileException">It is missing, unreadable or open to other users, or holds no such line.</exception>
    public static string ReadLine(string path, string what)
    {
        var line = ReadText(path, what).Trim();
        return IsSecret(line) ? line : throw new SecretFileException($"{what} {path}: one line of printable characters is wanted");
    }

    /// <summary>Reads a whole file.</summary>
    /// <inheritdoc cref="ReadLine"/>
    public static string ReadText(string path, string what)
    {
        try
        {
            if ((File.GetUnixFileMode(path) & Others) != 0)
                throw new SecretFileException($"{what} {path} is open to other users; it must be 0600: chmod 600 {path}");
            return new FileInfo(path).Length <= MostBytes
                ? File.ReadAllText(path)
                : throw new SecretFileException($"{what} {path} is larger than a megabyte: is it the right file?");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SecretFileException($"{what} {path} is missing") { IsMissing = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SecretFileException($"{what} {path} cannot be read: {e.Message}");
        }
    }

    /// <summary>Whether a text can be sent as a credential: not empty, printable ASCII without spaces.</summary>
    public static bool IsSecret(string text) => text.Length > 0 && text.All(c => c is > ' ' and <= '~');

    /// <summary>Writes a new file of mode 0600, whole or not at all.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    internal static void Write(string path, string text)
    {
        var draft = path + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = Private };
        using (var file = new FileStream(draft, options))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
    }
}
