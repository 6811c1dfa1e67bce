using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Holds the kernels' count against our own, as both were while the goal was held.</summary>
internal static class KernelReader
{
    private static readonly TimeSpan _lastLook = TimeSpan.FromSeconds(1);

    /// <summary>Reads.</summary>
    public static KernelFacts Read(SummaryInput input, ResultFacts result)
    {
        var view = input.Timeline.Kernel;
        var drain = SummaryBuilder.DrainStart(input);
        var holding = TimeSpan.FromSeconds(result.ReachedAfterSeconds ?? 0);
        var comparisons = view.Between(holding, drain);
        // A reader takes its last look when it is told to drain: better than none, though others may have begun to close.
        if (comparisons.IsEmpty && drain < input.Duration)
            comparisons = view.Between(holding, drain + _lastLook);
        var facts = new KernelFacts
        {
            TimeWait = view.Newest.Namespaces > 0 ? view.PeakTimeWait : null,
            BySource = Established(view.BySource),
            ByDestination = Established(view.ByDestination),
            Counters = view.Counters is { } counters ? Facts(counters) : null,
        };
        if (comparisons.IsEmpty)
            return facts with { Note = Join(Missing(view.Newest), KernelNotes.Of(input)) };

        var totals = HostView.Sum([.. comparisons.Select(c => c.Reading)], []);
        var own = comparisons.All(c => c.Own is not null) ? comparisons.Sum(c => c.Own) : null;
        return facts with
        {
            Established = totals[TcpState.Established],
            OwnEstablished = own,
            States = totals.States.ToImmutableSortedDictionary(s => Name(s.Key), s => s.Value, StringComparer.Ordinal),
            Foreign = totals.Foreign,
            AgeSeconds = SummaryBuilder.Rounded(Math.Max(0, (drain - totals.OldestAt!.Value).TotalSeconds)),
            Agrees = comparisons.All(c => c.Agrees) && Unread(input, comparisons, drain).IsEmpty,
            Note = Join(
                CountNote(comparisons, own), comparisons.All(c => c.Agrees) ? "" : KernelNotes.StatesBehind(totals),
                UnreadNote(Unread(input, comparisons, drain)), ForeignNote(totals.Foreign), KernelNotes.Of(input)),
        };
    }

    private static ImmutableSortedDictionary<string, long> Established(ImmutableSortedDictionary<EndpointAddress, StateCounts> sockets) =>
        sockets.Where(s => s.Value[TcpState.Established] > 0)
            .ToImmutableSortedDictionary(s => s.Key.ToString(), s => s.Value[TcpState.Established], StringComparer.Ordinal);

    private static KernelCounterFacts Facts(TcpCounterValues counters) => new(
        counters.ListenOverflows, counters.ListenDrops, counters.TimeWaitOverflow, counters.AbortOnMemory, counters.SynRetransmits,
        counters.RetransmittedSegments);

    private static string CountNote(ImmutableArray<KernelComparison> comparisons, long? own)
    {
        var kernel = comparisons.Sum(c => c.Established);
        if (own is null)
            return $"The kernel counted {kernel:N0} ESTABLISHED; our own count at that moment is incomplete, a report is missing.";
        if (own == kernel && comparisons.All(c => c.Established == c.Own))
            return "";
        var sign = kernel < own ? "fewer" : "more";
        var difference = $"{Math.Abs(kernel - own.Value):N0} {sign} than our own count of {own:N0} at that moment";
        var inFlight = comparisons.Sum(c => c.InFlight);
        var came = inFlight == 0 ? "no connection" : $"just {inFlight:N0} connections";
        return comparisons.All(c => c.Agrees)
            ? $"The kernel counted {kernel:N0} ESTABLISHED, {difference}: "
                + $"within the {inFlight:N0} connections that came or went while it was read."
            : $"The kernel counted {kernel:N0} ESTABLISHED, {difference}, and {came} came or went while it was read: "
                + "do not rely on our own count.";
    }

    private static string Missing(KernelTotals newest) => newest.Errors.IsEmpty
        ? "No kernel was read while the goal was held: the numbers are our own count alone."
        : $"The kernel could not be read: {newest.Errors[0]}. The numbers are our own count alone.";

    private static ImmutableArray<string> Unread(SummaryInput input, ImmutableArray<KernelComparison> comparisons, TimeSpan drain) =>
    [
        .. input.Agents.Where(a => a.Assigned > 0 && comparisons.All(c => c.NetworkNamespace != a.NetworkNamespace)
                && !input.Timeline.Kernel.IsOver(a.NetworkNamespace, drain))
            .Select(a => a.Host).Distinct(),
    ];

    private static string UnreadNote(ImmutableArray<string> hosts) =>
        hosts.IsEmpty ? "" : $"The kernel of {string.Join(", ", hosts.Take(5))} was not read while the goal was held.";

    private static string ForeignNote(long foreign) =>
        foreign == 0 ? "" : $"{foreign:N0} more sockets on these hosts lead to the target and are not of this run.";

    private static string Join(params string[] sentences) => string.Join(' ', sentences.Where(s => s.Length > 0));

    /// <summary>As RFC 9293 writes them.</summary>
    private static string Name(TcpState state) => state switch
    {
        TcpState.SynSent => "SYN-SENT",
        TcpState.SynReceived => "SYN-RECEIVED",
        TcpState.FinWait1 => "FIN-WAIT-1",
        TcpState.FinWait2 => "FIN-WAIT-2",
        TcpState.TimeWait => "TIME-WAIT",
        TcpState.CloseWait => "CLOSE-WAIT",
        TcpState.LastAck => "LAST-ACK",
        TcpState.NewSynRecv => "NEW-SYN-RECV",
        _ => state.ToString().ToUpperInvariant(),
    };
}
