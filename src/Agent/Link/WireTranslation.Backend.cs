using System.Collections.Immutable;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.KernelView;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Agent.Link;

internal static partial class WireTranslation
{
    private static Assignment ToBackendAssignment(Wire.Assignment message, Wire.Backend backend)
    {
        var ports = Each(backend.Ports, "backend.ports", ToPorts);
        if (ports.IsEmpty)
            throw new WireException("backend.ports", "required", "at least one port is wanted");
        if (backend.Greet && (backend.Http || backend.Echo))
            throw new WireException("backend.greet", "together", "a greeting would be taken for the beginning of an answer; ask for one of them");
        return new Assignment
        {
            RunId = message.RunId,
            Revision = ToRevision(message.Revision),
            StoreId = message.StoreId,
            Phase = message.Phase,
            RequiredCapabilities = [.. message.RequiredCapabilities],
            Backend = new(Merge(ports), backend.Greet) { Http = backend.Http, Echo = backend.Echo },
            Share = 0,
            Slice = new([], [], TimeSpan.Zero),
            Destinations = [],
            Schedule = new([new(TimeSpan.Zero, 0)], 1),
            ConnectTimeout = TimeSpan.Zero,
            StartNanos = message.HasStartNanos ? message.StartNanos : null,
            DrainTimeout = ToDrainTimeout(message),
            MaxDuration = Positive(message.MaxDuration, "max_duration"),
            KernelView = message.KernelView is { } view ? KernelViewScope.OfListeners(Merge(ports), CoreShare(view)) : null,
        };
    }

    /// <summary>In rising order, none twice.</summary>
    private static ImmutableArray<PortSpan> Merge(ImmutableArray<PortSpan> ports)
    {
        var merged = new List<PortSpan>();
        foreach (var span in ports.OrderBy(p => p.First))
        {
            if (merged.Count > 0 && span.First <= merged[^1].Last + 1)
                merged[^1] = new(merged[^1].First, Math.Max(merged[^1].Last, span.Last));
            else
                merged.Add(span);
        }

        return [.. merged];
    }
}
