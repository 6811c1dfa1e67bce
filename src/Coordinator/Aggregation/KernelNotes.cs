using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>What the kernels' own counters explain, in sentences: each says what to do about it.</summary>
internal static class KernelNotes
{
    // Fewer SYNs sent again than this part of the connects are ordinary.
    private const double FewRetransmits = 0.001;

    /// <summary>What a reader should know of the counters and leftovers; empty when nothing was out of the ordinary.</summary>
    public static string Of(SummaryInput input) => string.Join(' ', Sentences(input));

    /// <summary>What the reading's own states say of a difference to our count; empty when they say nothing.</summary>
    /// <param name="totals">Of the readings that were compared.</param>
    public static string StatesBehind(KernelTotals totals)
    {
        var sentences = new List<string>();
        if (totals[TcpState.CloseWait] is var closeWait and > 0)
            sentences.Add($"{closeWait:N0} were in CLOSE-WAIT: the target had closed them.");
        if (totals[TcpState.SynSent] is var synSent and > 0)
            sentences.Add($"{synSent:N0} were in SYN-SENT: on their way, and in neither count.");
        if (totals[TcpState.FinWait1] + totals[TcpState.FinWait2] is var closing and > 0)
            sentences.Add($"{closing:N0} waited for the target's FIN.");
        return string.Join(' ', sentences);
    }

    private static IEnumerable<string> Sentences(SummaryInput input)
    {
        var view = input.Timeline.Kernel;
        if (TimeWaitCap(input) is { Length: > 0 } cap)
            yield return cap;
        if (view.FirstTimeWait > 0)
        {
            yield return $"{view.FirstTimeWait:N0} of timeWait may be an earlier run's: they were there at the first reading "
                + "(TIME-WAIT lasts 60 s).";
        }

        if (view.Counters is { } counters)
        {
            if (counters.AbortOnMemory > 0)
            {
                yield return $"The kernel reset {counters.AbortOnMemory:N0} sockets for lack of TCP memory or above net.ipv4.tcp_max_orphans "
                    + "(TCPAbortOnMemory): raise net.ipv4.tcp_mem and net.ipv4.tcp_max_orphans, or close fewer at a time.";
            }

            if (counters.SynRetransmits > FewRetransmits * input.Timeline.Totals.Offered)
            {
                yield return $"SYNs were sent again {counters.SynRetransmits:N0} times: packets were lost on the way, or the target's accept "
                    + "queue was full and it dropped them (its net.core.somaxconn and the backlog that it listens with).";
            }
        }

        foreach (var overflow in ListenOverflows(input))
            yield return overflow;
    }

    // A listener of the run lives where its backends do. Where it has none, it may be on the clients' host, or on one that nobody reads.
    private static IEnumerable<string> ListenOverflows(SummaryInput input)
    {
        var (view, where) = input.Backends is { } backends
            ? (backends.Timeline.Kernel, "the backends' hosts")
            : (input.Timeline.Kernel, "the clients' hosts");
        if (view.Counters is not { } counters)
            yield break;
        if (counters.ListenOverflows > 0)
        {
            yield return $"Accept queues on {where} were full {counters.ListenOverflows:N0} times (ListenOverflows): raise "
                + "net.core.somaxconn there and the backlog of the program that listens, or let it accept faster.";
        }

        if (counters.ListenDrops - counters.ListenOverflows is var drops and > 0)
        {
            yield return $"Listeners on {where} dropped {drops:N0} more connections (ListenDrops): for lack of memory, or since "
                + "net.ipv4.tcp_max_syn_backlog was reached.";
        }
    }

    private static string TimeWaitCap(SummaryInput input)
    {
        var overflow = input.Timeline.Kernel.Counters?.TimeWaitOverflow ?? 0;
        foreach (var (name, timeWait) in input.Timeline.Kernel.PeakTimeWaits)
        {
            var cap = input.Agents.Where(a => a.NetworkNamespace == name).Select(a => a.MaxTimeWaitBuckets).DefaultIfEmpty().Max();
            if (cap > 0 && timeWait >= cap)
            {
                var host = input.Agents.First(a => a.NetworkNamespace == name).Host;
                return $"TIME-WAIT reached the cap of {cap:N0} (net.ipv4.tcp_max_tw_buckets) on {host}: "
                    + $"the kernel dropped what was beyond it{Times(overflow)}, so timeWait is the cap and not the count.";
            }
        }

        return overflow == 0
            ? ""
            : "The kernel left out TIME-WAIT since the cap was reached (net.ipv4.tcp_max_tw_buckets; all sockets of the host share it)"
                + $"{Times(overflow)}: timeWait is less than what was closed.";
    }

    private static string Times(long overflow) => overflow == 0 ? "" : $" (TCPTimeWaitOverflow {overflow:N0})";
}
