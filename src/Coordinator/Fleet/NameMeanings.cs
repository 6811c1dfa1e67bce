using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>
/// Fills in what the names of targets mean in each network namespace: whatever its agents said, together. Agents that cannot say are
/// gathered over all namespaces, so that one mistake of many agents is one problem.
/// </summary>
internal sealed class NameMeanings(RunSpec spec)
{
    private const int MostNamed = 5;

    private readonly List<(string Who, string Problem, string Remedy)> _failures = [];

    /// <summary>What is wrong, in whole sentences.</summary>
    public IEnumerable<string> Problems => _failures.GroupBy(f => (f.Problem, f.Remedy)).Select(g =>
    {
        var who = g.Select(f => f.Who).Distinct().ToList();
        var named = string.Join(", ", who.Take(MostNamed)) + (who.Count > MostNamed ? $" and {who.Count - MostNamed} more" : "");
        return $"{named}: {g.Key.Problem}; {g.Key.Remedy}.";
    });

    /// <summary>The targets with their addresses in one namespace, without those whose names mean nothing there.</summary>
    public ImmutableArray<TargetSpec> Fill(NamespaceView space)
    {
        var targets = ImmutableArray.CreateBuilder<TargetSpec>(spec.Targets.Length);
        foreach (var target in spec.Targets)
        {
            if (!target.IsAskedOfAgents)
                targets.Add(target);
            else if (AddressesOf(target, space) is { IsEmpty: false } addresses)
                targets.Add(target with { Addresses = addresses });
        }

        return targets.ToImmutable();
    }

    private ImmutableArray<IpAddress> AddressesOf(TargetSpec target, NamespaceView space)
    {
        var all = new HashSet<IpAddress>();
        foreach (var (agent, reply) in space.Replies)
            all.UnionWith(AddressesOf(agent, reply, target.Host));
        var addresses = SpecEndpoints.OneFamily([.. all], spec.Sources);
        if (SpecEndpoints.WhyRefused(addresses) is not { } refused)
            return addresses;
        _failures.Add(($"host {space.Inventory.Hostname}", $"--target {target.Text} {refused}", "give the address that the service listens on"));
        return [];
    }

    private ImmutableArray<IpAddress> AddressesOf(AgentState agent, RouteReply? reply, string name)
    {
        var who = $"agent {agent.Id} on host {agent.Hello.Inventory.Hostname}";
        if (reply is null)
        {
            _failures.Add(($"{who} (version {agent.Hello.Version} of the contract)",
                $"cannot say what {name} means there, for it lacks the capability `{Capabilities.Routes}`",
                "install the coordinator's version of loadharness-agent, or give the address"));
            return [];
        }

        var meaning = reply.Names.GetValueOrDefault(name);
        if (meaning is { Addresses.IsEmpty: false })
            return meaning.Addresses;
        _failures.Add((who, $"cannot resolve {name}: {(meaning is { Error.Length: > 0 } ? meaning.Error : "it has no address")}",
            $"check the name there (`getent hosts {name}`), or give the address"));
        return [];
    }
}
