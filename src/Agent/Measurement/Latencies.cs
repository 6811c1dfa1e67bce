using HdrHistogram;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Measurement;

/// <summary>
/// The latencies of one reactor in one interval, by kind. A kind takes memory from when its first value is recorded, or another's was
/// (<see cref="Match"/>); from then on nothing is allocated. Written by one thread.
/// </summary>
public sealed class Latencies
{
    private readonly LatencyRecorder?[] _recorders = new LatencyRecorder?[(int)HistogramKind.TimeToFirstByte + 1];

    /// <summary>
    /// Ages of connections that the peer ended, in microseconds. To two digits: a fourteenth of the memory, and enough to recognize a time-out.
    /// </summary>
    public IntHistogram PeerCloseAges { get; } = new(HistogramLayout.LowestMicros, HistogramLayout.HighestMicros, 2);

    /// <summary>Those of a kind, but for <see cref="PeerCloseAges"/>.</summary>
    public LatencyRecorder this[HistogramKind kind] => _recorders[(int)kind] ??= new LatencyRecorder();

    /// <summary>The kinds that have values, but for <see cref="PeerCloseAges"/>.</summary>
    public IEnumerable<HistogramKind> Kinds =>
        Enumerable.Range(0, _recorders.Length).Where(i => _recorders[i] is { Count: > 0 }).Select(i => (HistogramKind)i);

    /// <summary>
    /// Takes memory for each kind that another has taken it for. Two that take turns so allocate at the first change of turns after a kind's
    /// first value at the latest, and not when the second one's turn happens to see the next.
    /// </summary>
    public void Match(Latencies other)
    {
        for (var kind = 0; kind < _recorders.Length; kind++)
        {
            if (other._recorders[kind] is not null)
                _recorders[kind] ??= new LatencyRecorder();
        }
    }

    /// <summary>Forgets all values.</summary>
    public void Reset()
    {
        foreach (var recorder in _recorders)
            recorder?.Reset();
        if (PeerCloseAges.TotalCount > 0)
            PeerCloseAges.Reset();
    }
}
