using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Agents that are lost and come back while a run goes on.</summary>
public sealed partial class RunController
{
    /// <summary>An agent that drains again whatever it is told is not told so all the time.</summary>
    private static readonly TimeSpan _rousePause = TimeSpan.FromSeconds(5);

    // Since when no agent works for the run, and who was the last one.
    private (TimeSpan Since, string Words)? _deserted;

    private void ReviewAgents(TimeSpan elapsed)
    {
        var lost = ReviewLosses(elapsed);
        if (!lost.IsEmpty)
            React(lost, elapsed);
        ReviewFormer(elapsed);
        ReviewJoiners(elapsed);
        EndIfDeserted(lost, elapsed);
        _roster.ReviewReaders(elapsed);
        _backends.ReviewReaders(elapsed);
        RouseIdlers(_roster, "open its share", elapsed);
        RouseIdlers(_backends, "listen", elapsed);
        NoteFindings();
    }

    // Children of a local run do not come back, and nobody else joins it.
    private bool IsWorthWaiting => _roster.Everyone.Any(m => !m.Agent.IsGoneForGood)
        && (_spec.OnAgentLoss == AgentLossPolicy.Hold || _spec.OnAgentJoin == AgentJoinPolicy.Fill);

    /// <summary>Ends a run without agents, as soon as nobody can come any more or has come in time.</summary>
    private void EndIfDeserted(ImmutableArray<RunMember> lost, TimeSpan elapsed)
    {
        if (_roster.Working.Any())
        {
            _deserted = null;
            return;
        }

        _deserted ??= (elapsed, lost.LastOrDefault() is { } last ? $"{last.Agent.Id}: {last.Lost}" : "none is left");
        var (since, words) = _deserted.Value;
        if (!IsWorthWaiting)
            throw new RunEndException(RunEnding.AgentsLost, $"every agent was lost; {words}");
        // Who keeps the share of a lost agent for it has said that it will be back.
        if (_spec.OnAgentLoss != AgentLossPolicy.Hold && elapsed - since >= _spec.ReadyTimeout)
        {
            throw new RunEndException(RunEnding.AgentsLost,
                $"every agent was lost; {words}; no other one that it can use came within {DurationText.Format(_spec.ReadyTimeout)} (--ready-timeout)");
        }
    }

    // Agents that were cut off for longer than their leases are back: they do again what they did.
    private void RouseIdlers(Roster roster, string task, TimeSpan elapsed)
    {
        var idlers = roster.Idlers();
        if (idlers.IsEmpty || elapsed - roster.RousedAt < _rousePause)
            return;
        foreach (var idler in idlers)
        {
            _measurements.Note(idler.Agent.Id, new(Finding.Types.Severity.Warning, "lease",
                $"agent {idler.Agent.Id} had drained by itself after {elapsed.TotalSeconds:0} s, "
                + $"for its lease had ended or it was told to leave; while it stays it is to {task} again"));
        }

        roster.RousedAt = elapsed;
        roster.Repeat(elapsed);
    }

    /// <summary>Looks who is lost and who has come back. The words about lost clients depend on what becomes of their shares.</summary>
    /// <returns>Clients that are newly lost.</returns>
    private ImmutableArray<RunMember> ReviewLosses(TimeSpan elapsed)
    {
        // Who was just lost comes back at the next look: until then its share is given away, or not.
        var (returned, returnedBackends) = (_roster.Returned(), _backends.Returned());
        var lost = _roster.NewlyLost();
        foreach (var member in lost)
            Lose(member, elapsed);
        foreach (var backend in _backends.NewlyLost())
        {
            Lose(backend, elapsed);
            Tell(RunEventKinds.AgentLost, backend.Agent.Id, Finding.Types.Severity.Error,
                $"backend {backend.Agent.Id} was lost ({backend.Lost}); the run went on without it");
        }

        Return(_roster, returned, elapsed);
        Return(_backends, returnedBackends, elapsed);
        if (_roster.Order is { Phase: Phase.Drained })
            TellLost(lost, "the run is draining");
        return lost;
    }

    private void Lose(RunMember member, TimeSpan elapsed)
    {
        var agent = member.Agent;
        member.Lose(new(agent.LossReason, elapsed, agent.HasEnded, agent.WorkerIncarnation, _measurements.HeldBy(agent.Id)));
        LogLost(_log, RunId, agent.Id, member.Lost!);
        // By the arithmetic lease and drain were over when the margin began.
        _measurements.Lose(agent.Id, agent.HasEnded ? elapsed : elapsed - _registry.Options.LossMargin);
    }

    // Another process of it was told nothing so far; one that was only not heard has its assignment.
    private void Return(Roster roster, ImmutableArray<RunMember> members, TimeSpan elapsed)
    {
        if (members.IsEmpty)
            return;
        foreach (var member in members)
        {
            Tell(RunEventKinds.AgentReturned, member.Agent.Id, Finding.Types.Severity.Info, $"agent {member.Agent.Id} came back{Excess(member.Agent, member.Loss!, elapsed, "its share was kept for it")}");
            member.Return();
            member.Agent.Succeed();
            _measurements.Return(member.Agent.Id, elapsed);
        }

        roster.Repeat(elapsed);
    }

    private void React(ImmutableArray<RunMember> lost, TimeSpan elapsed)
    {
        switch (_spec.OnAgentLoss)
        {
            case AgentLossPolicy.Fail:
                TellLost(lost, "the run ends (--on-agent-loss fail)");
                throw new RunEndException(RunEnding.AgentsLost,
                    $"agent {lost[0].Agent.Id} was lost ({lost[0].Lost}), and the run is to fail then (--on-agent-loss fail)");
            case AgentLossPolicy.Hold:
                TellLost(lost, "its share stays open until it is back (--on-agent-loss hold)");
                break;
            default:
                Rebalance(lost, elapsed);
                break;
        }
    }

    /// <summary>
    /// Gives the shares of lost agents to the others and to idle ones that may join, as far as their blocks and limits allow and at the
    /// run's own rate.
    /// </summary>
    private void Rebalance(ImmutableArray<RunMember> lost, TimeSpan elapsed)
    {
        var share = lost.Sum(m => m.Share);
        var order = ScaleOrder.GoOn(elapsed, _asked);
        var made = PlanWith([.. Joiners().Where(_planMaker.Knows)], order, elapsed, out var joined);
        if (made.Plan is not { } plan)
        {
            TellLost(lost, $"its share stays open, for the others cannot take it: {string.Join(" ", made.Problems)}");
            return;
        }

        if (plan.Agents.IsEmpty)
        {
            TellLost(lost, "nobody is left to take its share"
                + (IsWorthWaiting ? $", and one that joins is waited for, {DurationText.Format(_spec.ReadyTimeout)} (--ready-timeout)" : ""));
            Pursue(plan, elapsed);
            return;
        }

        TellLost(lost, "its share goes to the others");
        var cut = plan.Cut is { } c ? $"; {plan.Goal:N0} of {c.Asked:N0} fit, and the run goes on with these: {string.Join(" ", c.Why)}" : "";
        Tell(RunEventKinds.Rebalanced, "", Finding.Types.Severity.Warning,
            $"after {elapsed.TotalSeconds:0.0} s {(plan.Agents.Length == 1 ? "one agent" : $"{plan.Agents.Length:N0} agents")} took over {share:N0} connections of "
            + $"{string.Join(", ", lost.Select(m => m.Agent.Id))}: due at {plan.RampEnd.TotalSeconds:0.0} s{cut}");
        TellJoined(plan, joined, elapsed);
        Pursue(plan, elapsed);
    }

    private PlanMade PlanOn(ScaleOrder order, ImmutableArray<AgentState> joiners)
    {
        _planMaker.Ended = [.. _roster.Members.Where(m => m.Loss is { IsProven: true }).Select(m => m.Agent.Id)];
        return _planMaker.Change(_plan!, order, [.. Carriers, .. joiners]);
    }

    /// <summary>Those that a plan is for: a lost one keeps its part where its share is kept for it.</summary>
    private IEnumerable<AgentState> Carriers =>
        (_spec.OnAgentLoss == AgentLossPolicy.Hold ? _roster.Members : _roster.Working).Select(m => m.Agent);

    private void Pursue(RunPlan plan, TimeSpan elapsed)
    {
        _measurements.Replan(_plan!, plan, elapsed);
        Adopt(plan);
        Command(Phase.Running, plan.DrainTimeout);
    }

    // They were told to close everything, and they do so first: what they take then is what is missing, like anybody who joins.
    private void ReviewFormer(TimeSpan elapsed)
    {
        foreach (var member in _roster.Former.Where(m => m.Lost is not null))
        {
            if (_registry.Find(member.Agent.Id) is not { Departure: null, Answers: true } agent)
                continue;
            Tell(RunEventKinds.AgentReturned, agent.Id, Finding.Types.Severity.Warning,
                $"agent {agent.Id} came back{Excess(agent, member.Loss!, elapsed, "its share is with others, and it takes what is missing, if anything is")}");
            member.Return();
        }
    }

    /// <summary>What may have been open beside the goal while an agent was lost.</summary>
    private static string Excess(AgentState agent, MemberLoss loss, TimeSpan elapsed, string share)
    {
        var away = $" after {elapsed.TotalSeconds:0} s: {share}";
        if (loss.IsProven || loss.Held == 0)
            return away;
        if (agent.Hello.Incarnation != loss.Incarnation)
            return $"{away}; it is another process (pid {agent.Hello.Inventory.ProcessId}), and what the first one held is closed unless that one is stopped";
        var excess = $"between {loss.At.TotalSeconds:0} s and {elapsed.TotalSeconds:0} s the target may have seen up to {loss.Held:N0} connections more than the goal";
        return agent.Status is { Phase: Phase.Drained, Held: 0 }
            ? $"{away}; it has closed its connections by now, when its lease ended or, if its process was stopped, when it woke: then {excess}"
            : $"{away}; it closes what it still holds first: {excess}";
    }

    private void TellLost(ImmutableArray<RunMember> lost, string what)
    {
        foreach (var member in lost)
        {
            var excess = member.Loss is { IsProven: false, Held: > 0 } loss
                ? $"; its lease has closed its connections, unless its process is stopped: then the target has up to {loss.Held:N0} more"
                : "";
            Tell(RunEventKinds.AgentLost, member.Agent.Id, Finding.Types.Severity.Error,
                $"agent {member.Agent.Id} was lost after {Elapsed.TotalSeconds:0} s ({member.Lost}) with a share of {member.Share:N0}; {what}{excess}");
        }
    }

    // The same may happen again: every time is a line of its own.
    private void Tell(string kind, string agentId, Finding.Types.Severity severity, string message) =>
        _measurements.Note(agentId, new(severity, $"{kind} {Elapsed}", message), kind);
}
