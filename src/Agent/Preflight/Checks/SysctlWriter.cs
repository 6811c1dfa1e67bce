namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>Writes what `check --fix` decided: the file as a whole or not at all, then each sysctl.</summary>
internal static class SysctlWriter
{
    private const UnixFileMode ReadableByAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Puts the text where it is to be; what stood there is kept beside it as `.before`.</summary>
    /// <returns>Null, or why it could not be.</returns>
    public static string? WriteFile(string path, string text)
    {
        var temporary = $"{path}.{Environment.ProcessId}.new";
        try
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = ReadableByAll,
            };
            using (var writer = new StreamWriter(temporary, options))
                writer.Write(text);
            if (File.Exists(path))
                File.Copy(path, $"{path}.before", overwrite: true);
            File.Move(temporary, path, overwrite: true);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Remove(temporary);
            return e.Message;
        }
    }

    /// <summary>Sets a sysctl of the calling thread's network namespace, or of the host.</summary>
    /// <returns>Null, or why it is not as wanted.</returns>
    public static string? Set(string name, string value)
    {
        try
        {
            using (var file = new StreamWriter(new FileStream(Sysctl.PathOf(name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite)))
                file.Write(value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }

        var now = SysctlFile.Line(ProcFile.ReadText(Sysctl.PathOf(name)) ?? "");
        return now == value ? null : $"the kernel made {now} of it";
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was never made.
        }
    }
}
