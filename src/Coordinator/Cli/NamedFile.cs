using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Files that options name: read here, so that neither a coordinator nor an agent opens what its caller names.</summary>
internal static class NamedFile
{
    private const int Largest = 16 << 20;

    /// <summary>What is in a file, or what a pipe gives: <c>&lt;(pass show key)</c> is a path, too. Empty when it cannot be read.</summary>
    /// <param name="field">The option.</param>
    /// <param name="path">As typed.</param>
    /// <param name="errors">Takes why it cannot.</param>
    public static byte[] Read(string field, string path, List<SpecError> errors)
    {
        try
        {
            if (Directory.Exists(path))
                return Unread("is a directory", "", "Name a file in it");
            using var file = new FileStream(path, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
            var bytes = ReadAll(file);
            if (bytes.Length > Largest)
                return Unread("is too large", $"at most {Largest:N0} bytes", "Name another file");
            return bytes.Length > 0 ? bytes : Unread("is an empty file", "", "Name another file, or leave the option out");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return Unread($"cannot be read: {e.Message.TrimEnd('.')}", "", "Name a file that you may read");
        }

        byte[] Unread(string problem, string allowed, string remedy)
        {
            errors.Add(new SpecError(field, path, problem, allowed, remedy));
            return [];
        }
    }

    // A device says that it has no bytes, and gives them without an end.
    private static byte[] ReadAll(FileStream file)
    {
        using var read = new MemoryStream();
        var buffer = new byte[1 << 16];
        while (read.Length <= Largest && file.Read(buffer) is > 0 and var count)
            read.Write(buffer, 0, count);
        return read.ToArray();
    }
}
