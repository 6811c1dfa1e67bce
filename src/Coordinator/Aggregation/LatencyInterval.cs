using HdrHistogram;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Latencies of one kind in one interval of a run, of all agents together.</summary>
/// <param name="Kind">Which.</param>
/// <param name="From">Where the interval begins, elapsed.</param>
/// <param name="To">Where it ends.</param>
/// <param name="Values">In the shared layout, in microseconds.</param>
public sealed record LatencyInterval(HistogramKind Kind, TimeSpan From, TimeSpan To, HistogramBase Values);
