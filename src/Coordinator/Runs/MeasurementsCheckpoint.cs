using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Everything that a run has measured beside its complete seconds and the samples that are not folded yet.</summary>
internal sealed record MeasurementsCheckpoint
{
    /// <summary>Of the clients.</summary>
    public TimelineCheckpoint Clients { get; init; } = new();

    /// <summary>Of the backends.</summary>
    public TimelineCheckpoint Backends { get; init; } = new();

    /// <summary>See <see cref="BackendTimeline.Held"/>.</summary>
    public ImmutableDictionary<string, (TimeSpan At, long Established)> BackendsHeld { get; init; } =
        ImmutableDictionary<string, (TimeSpan At, long Established)>.Empty;

    /// <summary>When the clients began to close.</summary>
    public TimeSpan? DrainFrom { get; init; }

    /// <summary>Clients that have taken part.</summary>
    public ImmutableArray<string> MemberIds { get; init; } = [];

    /// <summary>Backends that have taken part.</summary>
    public ImmutableArray<string> BackendIds { get; init; } = [];

    /// <summary>What the report must say, oldest first.</summary>
    public ImmutableArray<RunNote> Notes { get; init; } = [];

    /// <summary>The goal was lowered and is not met yet.</summary>
    public bool Shrinking { get; init; }

    /// <summary>Seconds before this are folded.</summary>
    public int Folded { get; init; }
}
