using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>Asks agents how their hosts stand against a need of the whole fleet.</summary>
/// <param name="clock">For patience.</param>
internal sealed class CheckSurvey(CoordinatorClock clock)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Asks all of them at once. Clients are asked for an even part of the need, backends too, as those that accept it. Agents on one
    /// host share its limits, so each of them is asked for the parts of all.
    /// </summary>
    /// <param name="agents">Whom to ask.</param>
    /// <param name="need">Of the whole fleet; null: what the hosts are good for by themselves.</param>
    /// <param name="cancel">Ends the asking.</param>
    public async Task<ImmutableArray<CheckReply>> AskAsync(ImmutableArray<AgentState> agents, HostNeed? need, CancellationToken cancel) =>
        [.. await Task.WhenAll(agents.Select(a => AskAsync(a, PartOf(a, agents, need), cancel)))];

    private static HostNeed? PartOf(AgentState agent, ImmutableArray<AgentState> agents, HostNeed? need)
    {
        var alike = agents.Where(a => a.Hello.Role == agent.Hello.Role).ToArray();
        var here = alike.Count(a => HostOf(a) == HostOf(agent));
        return need is null ? null : need.Part(alike.Length, here) with { Accepts = need.Accepts || agent.Hello.Role == AgentRole.Backend };
    }

    // The boot id; behind the slash is the network namespace.
    private static string HostOf(AgentState agent) => agent.Hello.Inventory.NetworkNamespace.Split('/')[0];

    private async Task<CheckReply> AskAsync(AgentState agent, HostNeed? need, CancellationToken cancel)
    {
        if (!agent.Hello.Capabilities.Contains(Capabilities.Checks))
            return CheckReply.Failed(agent, "its release cannot check its host; install the coordinator's release there");
        if (agent.Session is not { } session)
            return CheckReply.Failed(agent, "it is away");
        using var patience = new CancellationTokenSource(_patience, clock.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        try
        {
            return new(agent, await session.CheckAsync(need, either.Token), "");
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            return CheckReply.Failed(agent, $"it did not answer within {_patience.TotalSeconds:0} s");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return CheckReply.Failed(agent, "its link broke; ask again");
        }
    }
}

/// <summary>What an agent answered.</summary>
/// <param name="Agent">Who.</param>
/// <param name="Checks">Empty when it did not answer.</param>
/// <param name="Error">Why not; otherwise empty.</param>
internal sealed record CheckReply(AgentState Agent, ImmutableArray<HostCheck> Checks, string Error)
{
    public static CheckReply Failed(AgentState agent, string error) => new(agent, [], error);
}
