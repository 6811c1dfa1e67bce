using System.Net;
using System.Net.Sockets;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Preflight;

/// <summary>
/// Resolves names as every program of this host would: hosts file, then its name servers. On plain threads, since the system's
/// resolver blocks and nobody can hurry it.
/// </summary>
/// <param name="resolve">Blocks; throws <see cref="SocketException"/> when there is no such name.</param>
/// <param name="bound">How long a whole lookup may take.</param>
public sealed class NameLookup(Func<string, IPAddress[]> resolve, TimeSpan bound)
{
    private const int MostThreads = 16;
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(5);

    /// <summary>Asks this host's own resolver, for up to 5 s.</summary>
    public static NameLookup OfHost { get; } = new(Dns.GetHostAddresses, _bound);

    /// <summary>Resolves names; blocks for up to the bound. What has no answer by then is said to have none.</summary>
    /// <returns>One answer for each name, in their order.</returns>
    public ResolvedName[] Resolve(IReadOnlyList<string> names)
    {
        var work = new Work(names);
        for (var i = 0; i < Math.Min(names.Count, MostThreads); i++)
            new Thread(() => Answer(work)) { IsBackground = true, Name = "resolver" }.Start();
        work.WaitAll(bound);
        var late = $"no answer within {bound.TotalSeconds:0.#} s";
        return [.. names.Select((name, i) => work.AnswerTo(i) ?? ResolvedName.Unknown(name, late))];
    }

    private void Answer(Work work)
    {
        while (work.Next() is { } index)
            work.Answered(index, Ask(work.Names[index]));
    }

    private ResolvedName Ask(string name)
    {
        try
        {
            var addresses = resolve(name).Select(IpAddress.From).Distinct().Order().ToArray();
            return addresses.Length > 0 ? new(name, [.. addresses], "") : ResolvedName.Unknown(name, "it has no address");
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return ResolvedName.Unknown(name, e.Message);
        }
    }

    /// <summary>Names that several threads answer; threads that come too late are left to themselves.</summary>
    private sealed class Work(IReadOnlyList<string> names)
    {
        private readonly ResolvedName?[] _answers = new ResolvedName?[names.Count];
        private readonly object _gate = new();
        private int _next;
        private int _open = names.Count;

        public IReadOnlyList<string> Names => names;

        public int? Next() => Interlocked.Increment(ref _next) - 1 is var index && index < names.Count ? index : null;

        public ResolvedName? AnswerTo(int index)
        {
            lock (_gate)
                return _answers[index];
        }

        public void Answered(int index, ResolvedName answer)
        {
            lock (_gate)
            {
                _answers[index] = answer;
                _open--;
                Monitor.PulseAll(_gate);
            }
        }

        public void WaitAll(TimeSpan bound)
        {
            var end = Environment.TickCount64 + (long)bound.TotalMilliseconds;
            lock (_gate)
            {
                while (_open > 0 && end - Environment.TickCount64 is var left and > 0)
                    Monitor.Wait(_gate, (int)left);
            }
        }
    }
}
