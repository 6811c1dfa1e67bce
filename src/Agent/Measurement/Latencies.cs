using HdrHistogram;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Measurement;

/// <summary>
/// The latencies of one reactor in one interval, by kind. A kind takes memory from when its first value is recorded; from then on nothing is
/// allocated. Written by one thread.
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

    /// <summary>Forgets all values.</summary>
    public void Reset()
    {
        foreach (var recorder in _recorders)
            recorder?.Reset();
        if (PeerCloseAges.TotalCount > 0)
            PeerCloseAges.Reset();
    }
}
