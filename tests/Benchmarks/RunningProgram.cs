using System.Diagnostics;

namespace LoadHarness.Benchmarks;

/// <summary>A child process that is ended when this is disposed.</summary>
internal sealed class RunningProgram : IDisposable
{
    private readonly Process _process;

    /// <summary>Starts it.</summary>
    public RunningProgram(string program, IEnumerable<string> arguments)
    {
        _process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = false })
            ?? throw new InvalidOperationException($"{program} did not start");
    }

    /// <summary>Starts it on the core that programs under test share.</summary>
    public static RunningProgram Pinned(string program, IEnumerable<string> arguments) => new("taskset", ["-c", "1", program, .. arguments]);

    /// <summary>Starts it on the other core.</summary>
    public static RunningProgram PinnedTarget(string program, IEnumerable<string> arguments) => new("taskset", ["-c", "0", program, .. arguments]);

    /// <summary>Waits for its end; its standard output.</summary>
    public string WaitForOutput()
    {
        var output = _process.StandardOutput.ReadToEnd();
        _process.WaitForExit();
        return output;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            // SIGTERM first: the sink ends its workers itself.
            using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            kill.WaitForExit();
            if (!_process.WaitForExit(20_000))
                _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}
