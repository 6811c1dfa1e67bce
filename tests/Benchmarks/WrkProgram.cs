using System.Globalization;
using System.Text.RegularExpressions;

namespace LoadHarness.Benchmarks;

/// <summary>wrk, the load generator that people know, where it is installed.</summary>
internal static partial class WrkProgram
{
    private const int WarmUpSeconds = 1;
    private const int Seconds = 5;

    /// <summary>Whether it is there.</summary>
    public static bool IsInstalled => File.Exists("/usr/bin/wrk");

    /// <summary>One thread sends requests to the first port, each as soon as the answer to the last one has come.</summary>
    /// <returns>CPU seconds, user and system, for a million of them; what opening the connections takes is left out.</returns>
    public static double Run(int connections)
    {
        var (cpuBefore, requestsBefore) = Measure(connections, WarmUpSeconds);
        var (cpu, requests) = Measure(connections, Seconds);
        return (cpu - cpuBefore) * 1e6 / (requests - requestsBefore);
    }

    // `times` of bash tells user and system time of what it has waited for.
    private static (double Cpu, long Requests) Measure(int connections, int seconds)
    {
        var command = $"ulimit -Sn hard; wrk -t1 -c{connections} -d{seconds}s --timeout 30s http://127.0.0.1:{LimitPrograms.FirstPort}/; times";
        using var running = RunningProgram.Pinned("bash", ["-c", command]);
        var output = running.WaitForOutput();
        var requests = long.Parse(Requests().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
        return (Times().Matches(output)[^1].Groups.Values.Skip(1).Chunk(2).Sum(Span), requests);
    }

    private static double Span(Group[] minutesAndSeconds) =>
        (double.Parse(minutesAndSeconds[0].Value, CultureInfo.InvariantCulture) * 60) + double.Parse(minutesAndSeconds[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex Requests();

    [GeneratedRegex(@"(\d+)m([\d.]+)s (\d+)m([\d.]+)s")]
    private static partial Regex Times();
}
