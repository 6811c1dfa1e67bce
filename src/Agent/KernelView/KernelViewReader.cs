using System.ComponentModel;
using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.KernelView;

/// <summary>
/// Reads the kernel view on a thread of its own. The interval adapts: at least a second, and so long that reading takes at
/// most the scope's share of a core. Must be created on a plain thread: its thread inherits the creator's descriptor table.
/// </summary>
public sealed class KernelViewReader : IDisposable
{
    private static readonly TimeSpan _shortestInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longestInterval = TimeSpan.FromHours(1);

    private readonly Lock _reading = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private KernelViewScope _scope;
    private SockDiagReader _sockets;
    private KernelReading? _newest;
    private volatile bool _stopping;

    /// <summary>Starts reading at once.</summary>
    /// <param name="scope">What to count.</param>
    public KernelViewReader(KernelViewScope scope)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scope.CoreShare);
        (_scope, _sockets) = (scope, new SockDiagReader(scope));
        _thread = new Thread(ReadUntilStopped) { IsBackground = true, Name = "kernel-view" };
        _thread.Start();
    }

    /// <summary>The newest reading; null until the first one is there. A failed reading carries its error.</summary>
    public KernelReading? Newest => Volatile.Read(ref _newest);

    /// <summary>
    /// Counts something else from the next reading on. The same scope changes nothing, so that a revision of an assignment does not cost a
    /// reading.
    /// </summary>
    public void Follow(KernelViewScope scope)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scope.CoreShare);
        lock (_reading)
        {
            if (!_scope.Equals(scope))
                (_scope, _sockets) = (scope, new SockDiagReader(scope));
        }
    }

    /// <summary>Reads what the namespace says of itself, without a dump: it fills in between two readings.</summary>
    public KernelReading ReadNamespace() => new()
    {
        TakenAtNanos = Clock.BoottimeNanos,
        NamespaceOnly = true,
        Interval = Newest?.Interval ?? _shortestInterval,
        Sockstat = Sockstat.Read(),
        Counters = TcpCounters.Read(),
    };

    /// <summary>Reads on the calling thread, after the reading under way if there is one; it becomes the newest.</summary>
    public KernelReading ReadNow()
    {
        lock (_reading)
        {
            var reading = Read();
            Volatile.Write(ref _newest, reading);
            return reading;
        }
    }

    /// <summary>Does not wait for the end of the interval: what was counted has just come to rest.</summary>
    public void ReadSoon() => _wake.Set();

    /// <summary>Ends the thread; waits for the reading under way.</summary>
    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        if (_thread != Thread.CurrentThread)
            _thread.Join();
        _wake.Dispose();
    }

    private void ReadUntilStopped()
    {
        while (!_stopping)
            _wake.WaitOne(ReadNow().Interval);
    }

    private KernelReading Read()
    {
        var (wall, cpu) = (Clock.BoottimeNanos, Clock.ThreadCpuNanos);
        var result = _sockets.Read();
        var takenAt = Clock.BoottimeNanos;
        var host = ReadNamespace();
        if (!result.Ok)
            host = host with { Error = $"the kernel's socket table could not be read (NETLINK_SOCK_DIAG): {Describe(result.Errno)}" };
        else
            host = host with { States = _sockets.States, BySource = _sockets.BySource, ByDestination = _sockets.ByDestination, Foreign = _sockets.Foreign };
        var used = TimeSpan.FromMicroseconds((Clock.ThreadCpuNanos - cpu) / 1000.0);
        return host with
        {
            TakenAtNanos = takenAt,
            NamespaceOnly = false,
            Wall = TimeSpan.FromMicroseconds((takenAt - wall) / 1000.0),
            Cpu = used,
            Interval = IntervalFor(used, Math.Min(_scope.CoreShare, 1)),
        };
    }

    /// <summary>So long that <paramref name="used"/> is at most the share of it; an hour at most, however small the share.</summary>
    internal static TimeSpan IntervalFor(TimeSpan used, double coreShare) => TimeSpan.FromSeconds(
        Math.Clamp(used.TotalSeconds / coreShare, _shortestInterval.TotalSeconds, _longestInterval.TotalSeconds));

    private static string Describe(int errno)
    {
        return errno switch
        {
            Errno.ENOENT => "the kernel lacks inet_diag for TCP; load the module tcp_diag",
            Errno.EINTR => "the table changed during each of several attempts",
            Errno.EAGAIN => "no answer for 10 s",
            Errno.ENOBUFS => "the kernel had no memory for its answer",
            _ => $"{new Win32Exception(errno).Message} (errno {errno})",
        };
    }
}
