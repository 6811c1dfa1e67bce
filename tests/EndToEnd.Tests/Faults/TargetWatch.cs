using LoadHarness.TestKit.Networks;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>Counts what a target's kernel holds as ESTABLISHED, again and again until it is disposed of.</summary>
public sealed class TargetWatch : IAsyncDisposable
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(100);

    private readonly SocketStatistics _sockets;
    private readonly string _filter;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _watching;
    private int _most;
    private int _samples;

    /// <summary>Begins.</summary>
    /// <param name="target">Where it listens.</param>
    /// <param name="firstPort">The first of its ports.</param>
    /// <param name="lastPort">The last one.</param>
    public TargetWatch(NetworkNamespace target, int firstPort, int lastPort)
    {
        _sockets = new SocketStatistics(target);
        _filter = FormattableString.Invariant($"( sport >= :{firstPort} and sport <= :{lastPort} )");
        _watching = Task.Run(WatchAsync);
    }

    /// <summary>
    /// The most that were certainly there at once. While one dump is read connections come and go, and it may name what was closed beside what
    /// was opened in its place: what two dumps in a row name was there between them.
    /// </summary>
    public int Most => Volatile.Read(ref _most);

    /// <summary>How often it has counted.</summary>
    public int Samples => Volatile.Read(ref _samples);

    /// <summary>What is there now.</summary>
    public int Now() => Dump().Count;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watching;
        _end.Dispose();
    }

    private HashSet<string> Dump() =>
        [.. _sockets.Lines("established", _filter).Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2..4]))];

    private async Task WatchAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            var seen = Dump();
            if (seen.Count > _most)
            {
                seen.IntersectWith(Dump());
                _most = Math.Max(_most, seen.Count);
            }

            _samples++;
            await Task.Delay(_pause, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
