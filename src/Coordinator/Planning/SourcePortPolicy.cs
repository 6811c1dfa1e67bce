using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>
/// Chooses the source ports of one namespace. A port that is bound explicitly is lost to every ordinary connect() there, so the
/// default leaves the top of the ephemeral range to the host, and a range over all of it is refused.
/// </summary>
public static class SourcePortPolicy
{
    /// <summary>Ports at the top of the ephemeral range that the default leaves to other programs.</summary>
    public const int LeftToOthers = 4096;

    private static readonly PortSpan _unprivileged = new(1024, 65535);

    /// <summary>The usable source ports.</summary>
    /// <param name="asked">The user's range; null for the default.</param>
    /// <param name="destinations">Their ports are left out when the target is on this host.</param>
    /// <param name="agents">The agents of the namespace; at least one.</param>
    /// <param name="sources">The sources of the namespace.</param>
    public static PortMap Choose(
        PortSpan? asked, ImmutableArray<Destination> destinations,
        IReadOnlyCollection<AgentResources> agents, IReadOnlyCollection<IpRange> sources)
    {
        var excluded = agents.SelectMany(a => a.UnusablePorts).ToList();
        excluded.AddRange(LocalOf(destinations, agents, sources).Select(d => d.Ports));
        if (asked is null)
            excluded.AddRange(agents.Select(a => TopOf(a.EphemeralPorts)));
        return PortMap.Of([asked ?? _unprivileged], excluded);
    }

    /// <summary>Why a range of source ports is refused: all reasons.</summary>
    /// <param name="asked">The user's range; null for the default, which is never refused.</param>
    /// <param name="destinations">What is connected to.</param>
    /// <param name="agents">The agents of the namespace; at least one.</param>
    /// <param name="sources">The sources of the namespace.</param>
    public static IEnumerable<PlanProblem> WhyRefused(
        PortSpan? asked, ImmutableArray<Destination> destinations,
        IReadOnlyCollection<AgentResources> agents, IReadOnlyCollection<IpRange> sources)
    {
        if (asked is not { } range)
            yield break;
        if (agents.FirstOrDefault(a => range.First <= a.EphemeralPorts.First && range.Last >= a.EphemeralPorts.Last) is { } cutOff)
            yield return CoversEphemeral(range, cutOff);
        var own = LocalOf(destinations, agents, sources).Where(d => d.Ports.First <= range.Last && range.First <= d.Ports.Last).ToList();
        if (own.Count > 0)
            yield return HasTargets(range, own, agents.First());
    }

    private static PlanProblem CoversEphemeral(PortSpan range, AgentResources agent)
    {
        var highest = TopOf(agent.EphemeralPorts).First - 1;
        var remedy = highest >= range.First
            ? $"Give --source-ports {range.First}-{highest}, or leave --source-ports out"
            : "Leave --source-ports out";
        return PlanProblem.Invalid(
            $"--source-ports {range} covers all of the ephemeral ports {agent.EphemeralPorts} of host {agent.Host} "
            + "(net.ipv4.ip_local_port_range). "
            + "A port that a run binds is lost to every other program of that host, so nothing there could connect any more, "
            + $"the agent included. {remedy}; on a host that serves nothing else --force takes the range as it is.");
    }

    private static PlanProblem HasTargets(PortSpan range, List<Destination> own, AgentResources agent)
    {
        var left = PortText.Without([range], own.Select(d => d.Ports));
        var remedy = left.IsEmpty ? "Leave --source-ports out" : $"Give --source-ports {left.MaxBy(s => s.Count)}, or leave --source-ports out";
        return PlanProblem.Invalid(
            $"--source-ports {range} contains the target's own port on the same host: {own[0].Addresses.First}:{own[0].Ports} is an address of "
            + $"{agent.Host}. A client there would take the port from the listener, or connect to itself. {remedy}; "
            + "--force leaves just these ports out.");
    }

    private static PortSpan TopOf(PortSpan ephemeral) =>
        ephemeral with { First = Math.Max(ephemeral.First, ephemeral.Last - LeftToOthers + 1) };

    /// <summary>Destinations that are on the host itself. All of 127.0.0.0/8 is, whatever its interfaces name.</summary>
    internal static IEnumerable<Destination> LocalOf(
        ImmutableArray<Destination> destinations, IReadOnlyCollection<AgentResources> agents, IReadOnlyCollection<IpRange> sources)
    {
        var own = AddressRanges.Merge(sources.Concat(agents.SelectMany(a => a.Addresses).Select(a => new IpRange(a, 1))));
        return destinations.Where(d => IsLoopback(d.Addresses.First) || AddressRanges.Touches(own, d.Addresses));
    }

    private static bool IsLoopback(IpAddress address) => address.IsV6 ? address.Value == 1 : address.Value >> 24 == 127;
}
