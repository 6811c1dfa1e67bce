using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>Fills in what the names of targets mean in one network namespace: whatever its agents said, together.</summary>
internal static class NameMeanings
{
    /// <summary>The targets with addresses; those whose names mean nothing there are left out, and a problem says so.</summary>
    public static ImmutableArray<TargetSpec> Fill(RunSpec spec, NamespaceView space, ImmutableArray<string>.Builder problems)
    {
        var targets = ImmutableArray.CreateBuilder<TargetSpec>(spec.Targets.Length);
        foreach (var target in spec.Targets)
        {
            if (!target.IsAskedOfAgents)
                targets.Add(target);
            else if (AddressesOf(target, spec, space, problems) is { IsEmpty: false } addresses)
                targets.Add(target with { Addresses = addresses });
        }

        return targets.ToImmutable();
    }

    private static ImmutableArray<IpAddress> AddressesOf(
        TargetSpec target, RunSpec spec, NamespaceView space, ImmutableArray<string>.Builder problems)
    {
        var all = new HashSet<IpAddress>();
        foreach (var (agent, reply) in space.Replies)
        {
            if (WhyNone(agent, reply, target.Host) is { } problem)
                AddOnce(problem, problems);
            else
                all.UnionWith(reply!.Names[target.Host].Addresses);
        }

        var addresses = SpecEndpoints.OneFamily([.. all], spec.Sources);
        if (SpecEndpoints.WhyRefused(addresses) is not { } refused)
            return addresses;
        AddOnce($"--target {target.Text} {refused} on host {space.Inventory.Hostname}; give the address that the service listens on", problems);
        return [];
    }

    private static string? WhyNone(AgentState agent, RouteReply? reply, string name)
    {
        var who = $"agent {agent.Id} on host {agent.Hello.Inventory.Hostname}";
        if (reply is null)
        {
            return $"{who} (version {agent.Hello.Version} of the contract) cannot say what {name} means there, for it lacks the capability "
                + $"`{Capabilities.Routes}`; install the coordinator's version of loadharness-agent, or give the address";
        }

        if (reply.Names.GetValueOrDefault(name) is { Addresses.IsEmpty: false })
            return null;
        var error = reply.Names.GetValueOrDefault(name)?.Error is { Length: > 0 } said ? said : "it has no address";
        return $"{who} cannot resolve {name}: {error}; check the name there (`getent hosts {name}`), or give the address";
    }

    private static void AddOnce(string problem, ImmutableArray<string>.Builder problems)
    {
        if (!problems.Contains(problem))
            problems.Add(problem);
    }
}
