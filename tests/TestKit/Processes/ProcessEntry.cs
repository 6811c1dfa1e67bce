namespace LoadHarness.TestKit.Processes;

/// <summary>A process as /proc shows it.</summary>
/// <param name="Pid">Its id.</param>
/// <param name="Arguments">Its command line; empty for one that has ended and was not waited for.</param>
public sealed record ProcessEntry(int Pid, IReadOnlyList<string> Arguments)
{
    /// <summary>The name of the program, also of one that <c>dotnet</c> runs.</summary>
    public string Program => Arguments.Count == 0 ? "" : Path.GetFileNameWithoutExtension(
        Arguments.Count > 1 && Path.GetFileName(Arguments[0]) == "dotnet" ? Arguments[1] : Arguments[0]);

    /// <summary>Its threads: id and name (at most 15 characters).</summary>
    public IReadOnlyList<(int Id, string Name)> Threads
    {
        get
        {
            var threads = new List<(int, string)>();
            foreach (var directory in Directory.EnumerateDirectories($"/proc/{Pid}/task"))
            {
                try
                {
                    threads.Add((int.Parse(Path.GetFileName(directory)), File.ReadAllText(Path.Combine(directory, "comm")).TrimEnd('\n')));
                }
                catch (IOException)
                {
                    // It has just ended.
                }
            }

            return threads;
        }
    }

    /// <summary>What a thread's descriptors point to, by number. Threads may have tables of their own.</summary>
    public IReadOnlyDictionary<int, string> DescriptorsOf(int threadId)
    {
        var descriptors = new Dictionary<int, string>();
        foreach (var link in Directory.EnumerateFileSystemEntries($"/proc/{Pid}/task/{threadId}/fd"))
        {
            if (new FileInfo(link).LinkTarget is { } target)
                descriptors[int.Parse(Path.GetFileName(link))] = target;
        }

        return descriptors;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Pid} {string.Join(' ', Arguments)}";
}
