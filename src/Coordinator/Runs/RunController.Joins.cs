using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Agents that attach while a run is under load: they fill what is missing, or take what the others have not opened yet.</summary>
public sealed partial class RunController
{
    /// <summary>
    /// In a ramp a change begins this much later: whoever hears of it late has opened no more by then than its new schedule wants,
    /// so nothing is closed.
    /// </summary>
    private static readonly TimeSpan _joinLead = TimeSpan.FromSeconds(2);

    private readonly HashSet<(string AgentId, string Incarnation)> _unfit = [];
    private (long Revision, ImmutableHashSet<(string AgentId, string Incarnation)> Agents) _tried = (0, []);
    private (ImmutableArray<AgentState> Agents, Task<ImmutableDictionary<string, RouteReply>> Replies)? _asking;
    private TimeSpan _refilledAt = TimeSpan.MinValue / 2;

    private void ReviewJoiners(TimeSpan elapsed)
    {
        DropRefusing(elapsed);
        RefillAfterRest(elapsed);
        var isMissing = _plan!.Goal < _asked;
        if (_spec.OnAgentJoin == AgentJoinPolicy.Ignore || !(isMissing || elapsed + _joinLead < _plan.RampEnd))
            return;
        var candidates = Joiners();
        if (candidates.IsEmpty || !KnowsWay(candidates))
            return;
        var keys = candidates.Select(KeyOf).ToImmutableHashSet();
        if (_tried.Revision == _plan.Revision && _tried.Agents.SetEquals(keys))
            return;
        Join(candidates, elapsed);
        _tried = (_plan.Revision, keys);
    }

    /// <summary>Idle agents that the run may take in.</summary>
    private ImmutableArray<AgentState> Joiners()
    {
        // Who asked for a number of agents leaves the others to other runs.
        var places = (_spec.Agents ?? int.MaxValue) - _roster.Working.Count();
        return _spec.OnAgentJoin == AgentJoinPolicy.Ignore || places <= 0
            ? []
            : [.. _choice.Look().Clients.Where(a => _roster.CanCarry(a) && !_unfit.Contains(KeyOf(a))).Take(places)];
    }

    private static (string AgentId, string Incarnation) KeyOf(AgentState agent) => (agent.Id, agent.Hello.Incarnation);

    /// <summary>Asks agents of hosts that the run has not used for the way to the target; who does not say it does not join.</summary>
    private bool KnowsWay(ImmutableArray<AgentState> candidates)
    {
        if (_asking is { Replies.IsCompleted: true } asked)
        {
            _asking = null;
            var replies = asked.Replies.IsCompletedSuccessfully ? asked.Replies.Result : ImmutableDictionary<string, RouteReply>.Empty;
            _planMaker.Replies = _planMaker.Replies.SetItems(replies);
            _unfit.UnionWith(asked.Agents.Where(a => !replies.ContainsKey(a.Id)).Select(KeyOf));
        }

        ImmutableArray<AgentState> strangers = [.. candidates.Where(a => _survey.Concerns(a) && !_planMaker.Knows(a))];
        if (!strangers.IsEmpty && _asking is null)
            _asking = (strangers, AskAsync(strangers));
        return strangers.IsEmpty;
    }

    private async Task<ImmutableDictionary<string, RouteReply>> AskAsync(ImmutableArray<AgentState> strangers)
    {
        using var patience = new CancellationTokenSource(RouteSurvey.Patience, _clock.Time);
        return await _survey.AskAsync(strangers, patience.Token);
    }

    private void Join(ImmutableArray<AgentState> candidates, TimeSpan elapsed)
    {
        var isRamp = elapsed + _joinLead < _plan!.RampEnd;
        var made = PlanWith(candidates, ScaleOrder.GoOn(isRamp ? elapsed + _joinLead : elapsed, _asked, spreads: isRamp), elapsed, out var joined);
        if (made.Plan is not { } plan || joined.IsEmpty)
        {
            _planMaker.Keep(_plan);
            if (made.Plan is null)
                _measurements.Note("", new(Finding.Types.Severity.Info, "join", $"agents that attached could not join the run: {string.Join(" ", made.Problems)}"));
            return;
        }

        TellJoined(plan, joined, elapsed);
        Pursue(plan, elapsed);
    }

    /// <summary>
    /// Plans for those who work and for candidates. Only who gets a share is taken in: an agent without one would hold blocks for nothing,
    /// and another run could use it.
    /// </summary>
    private PlanMade PlanWith(ImmutableArray<AgentState> candidates, ScaleOrder order, TimeSpan elapsed, out ImmutableArray<AgentState> joined)
    {
        if (!candidates.IsEmpty)
        {
            var wanted = PlanOn(order, candidates);
            ImmutableArray<AgentState> joining = joined = [.. candidates.Where(c => HasPart(wanted, c) && _roster.TryJoin(c, elapsed))];
            if (!joined.IsEmpty)
            {
                var made = PlanOn(order, []);
                if (made.Plan is not null && joined.All(j => HasPart(made, j)))
                    return made;
                _roster.Dismiss([.. _roster.Members.Where(m => joining.Contains(m.Agent))]);
            }
        }

        joined = [];
        return PlanOn(order, []);
    }

    private void TellJoined(RunPlan plan, ImmutableArray<AgentState> joined, TimeSpan elapsed)
    {
        foreach (var part in plan.Agents.Where(a => joined.Any(j => j.Id == a.AgentId)))
        {
            Tell(RunEventKinds.AgentJoined, part.AgentId, Finding.Types.Severity.Info,
                $"agent {part.AgentId} joined after {elapsed.TotalSeconds:0} s with a share of {part.Share:N0}");
        }
    }

    private static bool HasPart(PlanMade made, AgentState agent) =>
        made.Plan?.Agents.FirstOrDefault(a => a.AgentId == agent.Id) is { Share: > 0, Slice.BlockCount: > 0 };

    // What an agent that joins refuses, or does not get ready for, is no reason to end a run that did without it.
    private void DropRefusing(TimeSpan elapsed)
    {
        var refusing = _roster.ReviewNew(elapsed - _spec.ReadyTimeout);
        if (refusing.IsEmpty)
            return;
        foreach (var (member, refusal) in refusing)
        {
            _unfit.Add(KeyOf(member.Agent));
            var why = refusal is null ? Lag(member) : $"it refused its assignment: {refusal.Message} ({refusal.Field}, rule {refusal.Rule})";
            Tell(RunEventKinds.Finding, member.Agent.Id, Finding.Types.Severity.Warning, $"agent {member.Agent.Id} did not join: {why}");
        }

        _roster.Dismiss([.. refusing.Select(r => r.Member)]);
        if (PlanOn(ScaleOrder.GoOn(elapsed, _asked), []).Plan is { } plan)
            Pursue(plan, elapsed);
    }

    // The blocks of agents that are gone may be issued again: what did not fit may fit now.
    private void RefillAfterRest(TimeSpan elapsed)
    {
        if (_plan!.Goal >= _asked || elapsed - _refilledAt < _reclaimPause || !_plan.Departed.Any(d => elapsed - d.Since >= SliceCutter.Rest))
            return;
        _refilledAt = elapsed;
        // Who found no room among blocks that rested may find some now.
        _tried = (0, []);
        if (!_roster.Working.Any())
            return;
        var before = _plan.Goal;
        if (PlanOn(ScaleOrder.GoOn(elapsed, _asked), []).Plan is not { } plan)
            return;
        if (plan.Goal > before)
        {
            Tell(RunEventKinds.Rebalanced, "", Finding.Types.Severity.Info,
                $"after {elapsed.TotalSeconds:0} s the blocks of lost agents have rested: {plan.Goal - before:N0} connections more are opened");
        }

        Pursue(plan, elapsed);
    }
}
