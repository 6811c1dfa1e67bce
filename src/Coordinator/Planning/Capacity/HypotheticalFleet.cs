using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>A fleet that does not exist: agents on hosts of their own, all alike. What is not given is a Linux default.</summary>
public sealed record HypotheticalFleet
{
    /// <summary>Most sources of an agent.</summary>
    public const int MostSources = 100_000;

    /// <summary>Agents, each on a host of its own.</summary>
    public required int Agents { get; init; }

    /// <summary>Source addresses of each, for each family of the target.</summary>
    public required int SourcesPerAgent { get; init; }

    /// <summary>RLIMIT_NOFILE, hard. systemd gives 524,288 (the kernel itself 4,096).</summary>
    public int? Descriptors { get; init; }

    /// <summary>net.ipv4.ip_local_port_range</summary>
    public PortSpan? EphemeralPorts { get; init; }

    /// <summary>Processors of each host.</summary>
    public int? Cores { get; init; }

    /// <summary>Free memory of each host, in bytes; null: not looked at.</summary>
    public long? MemoryBytes { get; init; }

    private const int DefaultDescriptors = 524_288;
    private const int DefaultCores = 4;
    private const int DefaultTimeWaitBuckets = 262_144;
    private static readonly PortSpan _defaultPorts = new(32768, 60999);

    // Networks for measurements: RFC 2544 and RFC 5180. No target is there.
    private static readonly IpAddress _firstV4 = AddressText.TryParse("198.18.0.1", out var v4) ? v4 : default;
    private static readonly IpAddress _firstV6 = AddressText.TryParse("2001:2::1", out var v6) ? v6 : default;
    private static readonly IpAddress _unknown = AddressText.TryParse("192.0.2.1", out var address) ? address : default;

    /// <summary>The report for it.</summary>
    /// <param name="spec">Its sources are not used. A target whose name has no address counts as one address.</param>
    public CapacityReport Report(RunSpec spec)
    {
        var unresolved = spec.Targets.Where(t => t.Addresses.IsEmpty).Select(t => t.Host).Distinct().ToImmutableArray();
        spec = spec with
        {
            Targets = [.. spec.Targets.Select(t => t.Addresses.IsEmpty ? t with { Addresses = [_unknown.Plus(unresolved.IndexOf(t.Host))] } : t)],
            Sources = [],
            Agents = Agents,
        };
        var report = CapacityReporter.Of(spec, Supply(spec), Enumerable.Range(1, Agents).ToDictionary(Host, _ => new HostFacts
        {
            MemoryFreeBytes = MemoryBytes,
            MemoryBinds = MemoryBytes is not null,
            MaxTimeWaitBuckets = DefaultTimeWaitBuckets,
        }));
        return report with
        {
            KernelChosen = report.KernelChosen with { Range = EphemeralPorts ?? _defaultPorts },
            Assumptions = [.. Assumptions(spec, unresolved)],
        };
    }

    private static string Host(int number) => $"host-{number}";

    private PlanSupply Supply(RunSpec spec)
    {
        var destinations = DestinationCounts.Destinations(spec.Targets);
        var ends = new NamespaceEnds([new(_firstV4, SourcesPerAgent), new(_firstV6, SourcesPerAgent)], destinations);
        // A range over all of the ephemeral ports is a question that may be asked of hosts that do nothing else.
        var ephemeral = IsRefused(spec) ? new PortSpan(0, 0) : EphemeralPorts ?? _defaultPorts;
        var agents = Enumerable.Range(1, Agents).Select(i => Agent(i) with { EphemeralPorts = ephemeral }).ToImmutableArray();
        return new PlanSupply(agents, agents.ToDictionary(a => a.NetworkNamespace, _ => ends, StringComparer.Ordinal), []);
    }

    private AgentResources Agent(int number) => new()
    {
        AgentId = $"agent-{number}",
        Host = Host(number),
        NetworkNamespace = Host(number),
        Cores = Cores ?? DefaultCores,
        ConnectionsPerReactor = Math.Max(1, (Descriptors ?? DefaultDescriptors) - DescriptorLimit.Own),
        EphemeralPorts = EphemeralPorts ?? _defaultPorts,
    };

    private bool IsRefused(RunSpec spec) => SourcePortPolicy.WhyRefused(spec.SourcePorts, [], [Agent(1)], []).Any();

    private IEnumerable<string> Assumptions(RunSpec spec, ImmutableArray<string> unresolved)
    {
        yield return $"each agent on a host of its own with {Cores ?? DefaultCores:N0} cores";
        yield return $"RLIMIT_NOFILE {Descriptors ?? DefaultDescriptors:N0}{(Descriptors is null ? " (what systemd gives; --nofile)" : "")}";
        yield return $"ip_local_port_range {EphemeralPorts ?? _defaultPorts}{(EphemeralPorts is null ? " (--ephemeral-ports)" : "")}";
        yield return $"tcp_max_tw_buckets {DefaultTimeWaitBuckets:N0}, tcp_timestamps on, kernel 5.9 or later";
        if (MemoryBytes is null)
            yield return "enough memory (--memory)";
        foreach (var name in unresolved)
            yield return $"{name} has no address here and counts as one";
        if (IsRefused(spec))
            yield return $"hosts that do nothing else: `run` refuses --source-ports {spec.SourcePorts} without --force, it covers all ephemeral ports";
    }
}
