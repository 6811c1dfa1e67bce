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

    private static readonly string _ports = $"{FirstPort}-{FirstPort + Ports - 1}";

    /// <summary>Starts the sink; end it by disposing.</summary>
    /// <param name="workers">Each holds one RLIMIT_NOFILE.</param>
    public RunningProgram StartSink(int workers) => Started(new RunningProgram(Path.Combine(folder, "sink"), ["-p", _ports, "-w", $"{workers}"]));

    /// <summary>Starts a sink that answers HTTP/1.1 requests; end it by disposing.</summary>
    /// <param name="workers">One: on the core of targets.</param>
    public RunningProgram StartAnsweringSink(int workers)
    {
        string[] arguments = ["-p", _ports, "-w", $"{workers}", "-H"];
        var program = Path.Combine(folder, "sink");
        return Started(workers == 1 ? RunningProgram.PinnedTarget(program, arguments) : new RunningProgram(program, arguments));
    }

    /// <summary>One thread opens and holds, with explicit source ports.</summary>
    public Measured RunOpener(int connections)
    {
        var output = Run("opener", ["-d", "127.0.0.1", "-p", _ports, "-s", "127.1.0.1", "-S", "10", "-n", $"{connections}", "-i", "64", "-m", "expl", "-c", "hold"]);
        return new(Number(OpenerCpu(), output), Number(OpenerRate(), output));
    }

    /// <summary>One thread sends requests, each as soon as the answer to the last one has come.</summary>
    /// <returns>CPU seconds, user and system, for a million of them.</returns>
    public double RunRequests(int connections, long requests) => Number(OpenerRequestCpu(), RunPinned(
        "opener", ["-d", "127.0.0.1", "-p", _ports, "-s", "127.1.0.1", "-S", "10", "-n", $"{connections}", "-i", "64", "-m", "expl", "-c", "hold", "-r", $"{requests}"]));

    /// <summary>One thread opens connections and closes each at once.</summary>
    /// <param name="connections">How many.</param>
    /// <param name="atOnce">Of them under way at a time.</param>
    /// <param name="close">fin or rst.</param>
    /// <returns>CPU seconds, user and system, for 100,000 of them.</returns>
    public double RunChurn(int connections, int atOnce, string close) => Number(OpenerCpu(), RunPinned(
        "opener", ["-d", "127.0.0.1", "-p", _ports, "-s", "127.1.0.1", "-S", "10", "-n", $"{connections}", "-i", $"{atOnce}", "-m", "expl", "-c", close]));

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

    [GeneratedRegex(@"cpu_s_per_1M=([\d.]+)")]
    private static partial Regex OpenerRequestCpu();

    [GeneratedRegex(@"conn/s=([\d.]+)")]
    private static partial Regex OpenerRate();

    [GeneratedRegex(@"cpu/100k=([\d.]+)")]
    private static partial Regex MillionCpu();

    [GeneratedRegex(@" cpu=([\d.]+)")]
    private static partial Regex DiagCpu();

    [GeneratedRegex(@"cpu_ms_per_hs=([\d.]+)")]
    private static partial Regex TlsCpu();

    private static RunningProgram Started(RunningProgram program)
    {
        Thread.Sleep(500);
        return program;
    }

    private string Run(string program, string[] arguments)
    {
        using var running = new RunningProgram(Path.Combine(folder, program), arguments);
        return running.WaitForOutput();
    }

    private string RunPinned(string program, string[] arguments)
    {
        using var running = RunningProgram.Pinned(Path.Combine(folder, program), arguments);
        return running.WaitForOutput();
    }
}
