using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace LoadHarness.Benchmarks;

/// <summary>The C programs that mark the limit, built elsewhere: sink (accepts), opener (one thread), million (threads with own tables), diag (counts sockets), tls (handshakes).</summary>
internal sealed partial class LimitPrograms(string folder)
{
    /// <summary>Ports that the sink listens on.</summary>
    public const int FirstPort = 9000;

    /// <summary>How many they are.</summary>
    public const int Ports = 10;

    /// <summary>Starts the sink; end it by disposing.</summary>
    /// <param name="workers">Each holds one RLIMIT_NOFILE.</param>
    public RunningProgram StartSink(int workers)
    {
        var sink = new RunningProgram(Path.Combine(folder, "sink"), ["-p", $"{FirstPort}-{FirstPort + Ports - 1}", "-w", $"{workers}"]);
        Thread.Sleep(500);
        return sink;
    }

    /// <summary>One thread opens and holds, with explicit source ports.</summary>
    public Measured RunOpener(int connections)
    {
        var output = Run("opener", ["-d", "127.0.0.1", "-p", $"{FirstPort}-{FirstPort + Ports - 1}", "-s", "127.1.0.1", "-S", "10", "-n", $"{connections}", "-i", "64", "-m", "expl", "-c", "hold"]);
        return new(Number(OpenerCpu(), output), Number(OpenerRate(), output));
    }

    /// <summary>Threads with a descriptor table each open and hold, on kernel-chosen ports of one source each.</summary>
    public Measured RunMillion(int threads, int connections)
    {
        var output = Run("million", [$"{threads}", $"{connections / threads}", "127.0.0.1", $"{FirstPort}", "127.2.0.1"]);
        return new(Number(MillionCpu(), output), Number(OpenerRate(), output));
    }

    /// <summary>One thread opens and holds on ports that the kernel chooses, from one source to one port.</summary>
    public Measured RunKernelChosen(string source, int connections)
    {
        var output = Run("opener", ["-d", "127.0.0.1", "-p", $"{FirstPort}", "-s", source, "-S", "1", "-n", $"{connections}", "-i", "64", "-m", "noport", "-c", "hold"]);
        return new(Number(OpenerCpu(), output), Number(OpenerRate(), output));
    }

    /// <summary>One thread opens and holds for five minutes at most, to the first port, with explicit source ports; end it by disposing.</summary>
    public RunningProgram StartHolder(string source, int connections, int firstSourcePort = 10_240) => new(
        Path.Combine(folder, "opener"),
        ["-d", "127.0.0.1", "-p", $"{FirstPort}", "-s", source, "-S", "1", "-n", $"{connections}", "-i", "64", "-m", "expl", "-P", $"{firstSourcePort}", "-c", "hold", "-t", "300"]);

    /// <summary>Counts the sockets to the first port by state.</summary>
    /// <returns>CPU seconds.</returns>
    public double RunDiag() => Number(DiagCpu(), Run("diag", ["fff", $"{FirstPort}"]));

    /// <summary>Handshakes with a GET each, on the second core.</summary>
    /// <returns>CPU milliseconds for each.</returns>
    public double RunTls(int port, int handshakes, int inFlight, bool resume)
    {
        using var running = new RunningProgram("taskset", ["-c", "1", Path.Combine(folder, "tls"), $"{port}", $"{handshakes}", $"{inFlight}", "0", resume ? "1" : "0", "0", "1"]);
        return Number(TlsCpu(), running.WaitForOutput());
    }

    private static double Number(Regex pattern, string output)
    {
        var matches = pattern.Matches(output);
        return matches.Count > 0
            ? double.Parse(matches[^1].Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"no match for {pattern} in: {output}");
    }

    [GeneratedRegex(@"cpu_s_per_100k=([\d.]+)")]
    private static partial Regex OpenerCpu();

    [GeneratedRegex(@"conn/s=([\d.]+)")]
    private static partial Regex OpenerRate();

    [GeneratedRegex(@"cpu/100k=([\d.]+)")]
    private static partial Regex MillionCpu();

    [GeneratedRegex(@" cpu=([\d.]+)")]
    private static partial Regex DiagCpu();

    [GeneratedRegex(@"cpu_ms_per_hs=([\d.]+)")]
    private static partial Regex TlsCpu();

    private string Run(string program, string[] arguments)
    {
        using var running = new RunningProgram(Path.Combine(folder, program), arguments);
        return running.WaitForOutput();
    }
}

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
