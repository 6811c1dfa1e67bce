using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Files that options name: read here, so that neither a coordinator nor an agent opens what its caller names.</summary>
internal static class NamedFile
{
    private const long Largest = 16 << 20;

    /// <summary>What is in a file; empty when it cannot be read.</summary>
    /// <param name="field">The option.</param>
    /// <param name="path">As typed.</param>
    /// <param name="errors">Takes why it cannot.</param>
    public static byte[] Read(string field, string path, List<SpecError> errors)
    {
        try
        {
            var file = new FileInfo(path);
            if (file is { Exists: true, Length: > Largest })
            {
                errors.Add(new SpecError(field, path, $"has {file.Length:N0} bytes", $"at most {Largest:N0}", "Name another file"));
                return [];
            }

            var bytes = File.ReadAllBytes(path);
            if (bytes.Length == 0)
                errors.Add(new SpecError(field, path, "is an empty file", "", "Name another file, or leave the option out"));
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            errors.Add(new SpecError(field, path, $"cannot be read: {e.Message.TrimEnd('.')}", "", "Name a file that you may read"));
            return [];
        }
    }
}
