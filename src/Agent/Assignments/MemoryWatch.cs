using LoadHarness.Agent.KernelView;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;

namespace LoadHarness.Agent.Assignments;

/// <summary>Looks at the host's memory ten times a second, on a plain thread of its own: reactors only read what it found.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private static readonly TimeSpan _every = TimeSpan.FromMilliseconds(100);

    private readonly Func<MemoryReading?> _read;
    private readonly ManualResetEventSlim _end = new();
    private readonly Thread _thread;

    public MemoryWatch(Func<MemoryReading?> read)
    {
        _read = read;
        Look();
        _thread = new Thread(Run) { Name = "memory", IsBackground = true };
        _thread.Start();
    }

    /// <summary>What was found.</summary>
    public MemoryGuard Guard { get; } = new();

    /// <summary>Reads this host; null when it does not tell.</summary>
    public static MemoryReading? ReadHost()
    {
        var text = ProcFile.ReadText("/proc/meminfo") ?? "";
        if (ProcFile.ParseMeminfo(text, "MemFree") is not { } free || ProcFile.ParseMeminfo(text, "MemTotal") is not { } total)
            return null;
        // Page cache that is neither shared memory, nor mapped, nor still to be written is given back without waiting.
        var kept = Of("Shmem") + Of("Mapped") + Of("Dirty");
        var highMark = ProcFile.ReadNumber("/proc/sys/net/ipv4/tcp_mem", 2) ?? MemoryReading.DefaultTcpHighPages(total, Environment.SystemPageSize);
        return new(free + Math.Max(0, Of("Cached") - kept), total, Sockstat.Read()?.MemoryPages ?? 0, highMark);

        long Of(string name) => ProcFile.ParseMeminfo(text, name) ?? 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Set();
        _thread.Join();
        _end.Dispose();
    }

    private void Run()
    {
        while (!_end.Wait(_every))
            Look();
    }

    private void Look()
    {
        if (_read() is { } reading)
            Guard.Take(reading);
    }
}
