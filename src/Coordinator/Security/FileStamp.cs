namespace LoadHarness.Coordinator.Security;

/// <summary>Tells whether a file is still the one that was read: every way of writing it changes time or length, and opening it to others its mode.</summary>
/// <param name="Written">When it was written last; null: it is not there.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Mode">Who may read it.</param>
internal readonly record struct FileStamp(DateTime? Written, long Length, UnixFileMode Mode)
{
    /// <summary>Takes it before the file is read: a change in between is then seen the next time.</summary>
    public static FileStamp Of(string path)
    {
        try
        {
            // Of what is read: a link stays as it is when the file behind it is replaced.
            var file = new FileInfo(path);
            file = (FileInfo?)file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
            return file.Exists ? new(file.LastWriteTimeUtc, file.Length, file.UnixFileMode) : default;
        }
        catch (IOException)
        {
            return default;
        }
    }
}
