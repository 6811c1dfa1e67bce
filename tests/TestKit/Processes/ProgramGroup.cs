using System.Globalization;
using System.Text;

namespace LoadHarness.TestKit.Processes;

/// <summary>The programs that one test started and the directory that they write to; both are gone when it is disposed.</summary>
public sealed class ProgramGroup : IAsyncDisposable
{
    private readonly List<ProgramProcess> _processes = [];

    /// <summary>A directory for sockets, keys and logs; mode 0700.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("lh-").FullName;

    /// <summary>Starts a program.</summary>
    public ProgramProcess Start(ProgramStart start)
    {
        var process = ProgramProcess.Start(start);
        _processes.Add(process);
        return process;
    }

    /// <summary>All that the programs wrote, log files included.</summary>
    public string Describe()
    {
        var text = new StringBuilder();
        foreach (var process in _processes)
            text.Append(CultureInfo.InvariantCulture, $"--- {process}{(process.HasExited ? ", ended" : "")}\n{process.Log.Everything}");
        foreach (var log in System.IO.Directory.EnumerateFiles(Directory, "*.log", SearchOption.AllDirectories))
            text.Append(CultureInfo.InvariantCulture, $"--- {Path.GetFileName(log)}\n{File.ReadAllText(log)}");
        return text.ToString();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(_processes))
            await process.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
