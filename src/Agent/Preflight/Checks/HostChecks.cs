using System.Collections.Immutable;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>All checks of a host.</summary>
internal static class HostChecks
{
    private static readonly Func<HostFacts, HostNeed?, HostCheck>[] _all =
    [
        DescriptorLimitCheck.Check, NrOpenCheck.Check, FileMaxCheck.Check, MemoryCheck.Check, TcpMemoryCheck.Check, OrphansCheck.Check,
        PortRangeCheck.Check, ReservedPortsCheck.Check, TimestampsCheck.Check, TimeWaitReuseCheck.Check, TimeWaitBucketsCheck.Check,
        FinTimeoutCheck.Check, AcceptQueueCheck.Check, SynBacklogCheck.Check, SynCookiesCheck.Check, DeviceBacklogCheck.Check,
        ConntrackCheck.Check, CoresCheck.Check, ClockCheck.Check, KernelCheck.Check,
    ];

    /// <summary>Looks at this host now; some milliseconds.</summary>
    /// <param name="need">Null: what the host is good for by itself, and nothing is an error.</param>
    public static ImmutableArray<HostCheck> Run(HostNeed? need) => Of(HostFacts.Read(), need);

    /// <summary>What was read held against a need: one check for each thing, always in the same order.</summary>
    public static ImmutableArray<HostCheck> Of(HostFacts host, HostNeed? need) => [.. _all.Select(check => check(host, need))];
}
