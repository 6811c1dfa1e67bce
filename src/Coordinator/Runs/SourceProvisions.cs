using System.Collections.Immutable;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Runs;

/// <summary>
/// Which addresses a run adds where, and which agent of each network namespace does it. Cut once, before the first plan, so that no host is
/// given what another may have added already. Only the run's own loop touches it.
/// </summary>
/// <param name="spec">What is to be added.</param>
internal sealed class SourceProvisions(RunSpec spec)
{
    private readonly Dictionary<(string NetworkNamespace, int Part), string> _owners = [];

    /// <summary>What each namespace adds, and has of it already; nothing before <see cref="Cut"/>.</summary>
    public ImmutableDictionary<string, ImmutableArray<AddedSources>> ByNamespace { get; private set; } =
        ImmutableDictionary<string, ImmutableArray<AddedSources>>.Empty;

    /// <summary>As an earlier life of the coordinator cut it.</summary>
    public void Restore(ImmutableDictionary<string, ImmutableArray<AddedSources>> cut) => ByNamespace = cut;

    /// <summary>Cuts what is to be added over the hosts, unless that was done before.</summary>
    /// <param name="agents">Those that the run has.</param>
    /// <param name="replies">What agents said of their hosts, by identity.</param>
    /// <returns>Whole sentences for people; not empty means that the run cannot be planned.</returns>
    public ImmutableArray<string> Cut(ImmutableArray<AgentState> agents, IReadOnlyDictionary<string, RouteReply> replies)
    {
        if (spec.Provision.IsEmpty || !ByNamespace.IsEmpty)
            return [];
        var targets = spec.Targets.SelectMany(t => t.Addresses)
            .Concat(replies.Values.SelectMany(r => r.Names.Values).SelectMany(n => n.Addresses)).ToHashSet();
        var hosts = agents.GroupBy(NamespaceOf, StringComparer.Ordinal).Select(g => HostOf(g.Key, [.. g])).ToImmutableArray();
        var cut = ProvisionCut.Cut(spec.Provision, [.. spec.Sources.Select(s => s.Range).OfType<IpRange>()], hosts, targets);
        var problems = cut.Problems.IsEmpty ? WithoutSources(hosts, cut) : cut.Problems;
        if (problems.IsEmpty)
            ByNamespace = cut.ByNamespace;
        return problems;
    }

    /// <summary>
    /// Chooses who adds each part: an agent that may. It stays the one as long as it works, for it also removes; one that takes its place
    /// finds the addresses there and removes them in the end.
    /// </summary>
    public void Choose(IEnumerable<RunMember> members)
    {
        foreach (var group in members.Where(m => m.Lost is null).GroupBy(m => NamespaceOf(m.Agent), StringComparer.Ordinal))
        {
            foreach (var (i, part) in ByNamespace.GetValueOrDefault(group.Key, []).Index())
            {
                var able = group.Where(m => part.Addresses.All(a => RulesOf(m.Agent).Any(r => r.Allows(a, part.Device)))).Select(m => m.Agent.Id).ToList();
                if (able.Count > 0 && !(_owners.TryGetValue((group.Key, i), out var owner) && able.Contains(owner)))
                    _owners[(group.Key, i)] = able[0];
            }
        }
    }

    /// <summary>What a member adds or waits for.</summary>
    public ImmutableArray<AddedSources> DutiesOf(AgentState agent) =>
    [
        .. ByNamespace.GetValueOrDefault(NamespaceOf(agent), [])
            .Select((part, i) => part with { Owner = _owners.GetValueOrDefault((NamespaceOf(agent), i)) == agent.Id }),
    ];

    // As with sources that are named and not there: a host with a source of its own choice is not what was asked for.
    private ImmutableArray<string> WithoutSources(ImmutableArray<ProvisionHost> hosts, ProvisionCutResult cut) => spec.Sources.IsEmpty
        ?
        [
            .. hosts.Where(h => cut.ByNamespace[h.NetworkNamespace].IsEmpty).Select(h =>
                $"host {h.Host} gets none of --provision-sources {string.Join(", ", spec.Provision.Select(p => p.Text))}; start its agents with "
                + $"--allow-provision {spec.Provision[0].Cidr}, or leave them out (--select)."),
        ]
        : [];

    private static ProvisionHost HostOf(string networkNamespace, ImmutableArray<AgentState> agents)
    {
        var inventory = agents[0].Hello.Inventory;
        return new(networkNamespace, inventory.Hostname, [.. agents.SelectMany(RulesOf)], [.. inventory.Addresses.Select(a => (a.Address, a.Device))]);
    }

    private static IEnumerable<ProvisionRule> RulesOf(AgentState agent) =>
        agent.Hello.Inventory.AllowProvision.Select(ProvisionRule.Parse).OfType<ProvisionRule>();

    private static string NamespaceOf(AgentState agent) => agent.Hello.Inventory.NetworkNamespace;
}
