using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.KernelView;
using LoadHarness.Protos;
using LoadHarness.V1;
using BlockRange = LoadHarness.Protos.BlockRange;
using Destination = LoadHarness.Protos.Destination;

namespace LoadHarness.Benchmarks;

/// <summary>
/// Reads the kernel view of connections that C programs hold, alternating with the C program diag on the same filter, and prints the ratio of
/// medians: CPU of the reading thread beside CPU of the C process.
/// </summary>
internal sealed class KernelViewBenchmark(LimitPrograms limits, int connections, int rounds)
{
    private const int PerOpener = 15_000;
    private const int WarmUps = 3;

    private readonly SockDiagReader _reader = new(Scope(connections));

    /// <summary>Opens, compares, closes.</summary>
    public void Run()
    {
        var openers = (connections + PerOpener - 1) / PerOpener;
        using var sink = limits.StartSink(openers + 2);
        var holders = new List<RunningProgram>();
        try
        {
            for (var i = 0; i < openers; i++)
                holders.Add(limits.StartHolder(Source(i).ToString(), Math.Min(PerOpener, connections - (i * PerOpener))));
            WaitForAll();
            Compare();
        }
        finally
        {
            holders.ForEach(h => h.Dispose());
        }
    }

    private static IpAddress Source(int index) => new(false, (UInt128)(0x7F030001u + (uint)index));

    private static KernelViewScope Scope(int connections)
    {
        var target = new Destination(new(IpAddress.FromBytes([127, 0, 0, 1]), 1), new(LimitPrograms.FirstPort, LimitPrograms.FirstPort), "");
        return new([target], [new BlockRange(new(Source(0), (connections + PerOpener - 1) / PerOpener), 0, 256)], 1);
    }

    private void WaitForAll()
    {
        while (Read().Established < connections)
            Thread.Sleep(500);
    }

    private void Compare()
    {
        Console.WriteLine($"{connections:N0} pairs, one destination port, {rounds} rounds after {WarmUps} that warm up, alternating");
        List<double> limit = [], ours = [];
        for (var round = 1 - WarmUps; round <= rounds; round++)
        {
            var c = limits.RunDiag();
            var (cpu, wall, established) = Read();
            if (round < 1)
                continue;
            limit.Add(c);
            ours.Add(cpu);
            Console.WriteLine($"  {round}: diag {c:0.000} CPU s   kernel view {cpu:0.000} CPU s, {wall:0.000} s, {established:N0} ESTABLISHED");
        }

        var (m, o) = (Measured.Median(limit), Measured.Median(ours));
        Console.WriteLine($"  median: diag {m:0.000}, kernel view {o:0.000} CPU s; ratio {o / m:0.00}");
    }

    private (double Cpu, double Wall, long Established) Read()
    {
        var (cpu, wall) = (Clock.ThreadCpuNanos, Clock.BoottimeNanos);
        var result = _reader.Read();
        if (!result.Ok)
            throw new InvalidOperationException($"errno {result.Errno}");
        return ((Clock.ThreadCpuNanos - cpu) / 1e9, (Clock.BoottimeNanos - wall) / 1e9, _reader.States[TcpState.Established]);
    }
}
