using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

public sealed partial class RunController
{
    /// <summary>Gets every agent ready; those that are not in time are left out if the rest can carry the run.</summary>
    private async Task PrepareAsync(CancellationToken abandoned)
    {
        Enter(RunState.Preparing);
        var deadline = CommandPrepare();
        // Clients that are planned anew have their time again; the backends have it once.
        var backendsDeadline = deadline;
        _backends.Command(Phase.Prepared, null, _plan!.DrainTimeout, TimeSpan.Zero);
        while (true)
        {
            ThrowIfStopped();
            ThrowIfRefused();
            var laggards = _roster.Laggards(Phase.Prepared);
            if (laggards.IsEmpty && _backends.Laggards(Phase.Prepared).IsEmpty)
                return;
            ThrowIfBackendsLate(backendsDeadline);
            var gone = laggards.Where(m => m.Agent.Departure is not null).ToImmutableArray();
            if (!gone.IsEmpty || (!laggards.IsEmpty && _clock.Nanos >= deadline))
            {
                GoOnWithout(gone.IsEmpty ? laggards : gone);
                deadline = CommandPrepare();
            }

            await TickAsync(abandoned);
        }
    }

    // No run without them: what they are to accept has nowhere else to go.
    private void ThrowIfBackendsLate(long deadline)
    {
        var laggards = _backends.Laggards(Phase.Prepared);
        var gone = laggards.Where(m => m.Agent.Departure is not null).ToImmutableArray();
        if (!gone.IsEmpty || (!laggards.IsEmpty && _clock.Nanos >= deadline))
        {
            var late = gone.IsEmpty ? laggards : gone;
            throw NotReady("backends did not get ready: "
                + string.Join(", ", late.Select(m => $"{m.Agent.Id} ({m.Agent.Departure ?? Lag(m)})")));
        }
    }

    private long CommandPrepare()
    {
        Keep();
        _roster.Command(_plan!, Phase.Prepared, null, _plan!.DrainTimeout, TimeSpan.Zero);
        return _clock.Nanos + CoordinatorClock.ToNanos(_spec.ReadyTimeout);
    }

    private void GoOnWithout(ImmutableArray<RunMember> laggards)
    {
        var names = string.Join(", ", laggards.Select(m => $"{m.Agent.Id} ({m.Agent.Departure ?? Lag(m)})"));
        var rest = _roster.Members.Except(laggards).Select(m => m.Agent).ToImmutableArray();
        var made = rest.IsEmpty ? new PlanMade(null, false, ["no agent is left"]) : _planMaker.Make(rest, NextPlan);
        if (made.Plan is not { } plan)
            throw NotReady($"agents did not get ready: {names}; without them: {string.Join(" ", made.Problems)}");
        foreach (var laggard in laggards)
        {
            _unfit.Add(KeyOf(laggard.Agent));
            _measurements.Note(laggard.Agent.Id, new(Finding.Types.Severity.Warning, "ready",
                $"agent {laggard.Agent.Id} was left out: {laggard.Agent.Departure ?? Lag(laggard)}"));
        }

        Adopt(plan);
    }

    private long NextPlan => (_plan?.Revision ?? 0) + 1;

    private void Adopt(RunPlan plan)
    {
        _plan = plan;
        if (plan.Cut is { } cut)
        {
            _measurements.Note("", new(Finding.Types.Severity.Warning, $"goal {cut.Asked}",
                $"the goal was cut from {cut.Asked:N0} to {plan.Goal:N0} connections, which is what fits: {string.Join(" ", cut.Why)}"));
        }

        Publish(s => s with { Plan = _planMaker.Describe(plan) });
    }

    private void ThrowIfRefused()
    {
        if ((_roster.Refusal() ?? _backends.Refusal()) is var (member, refusal))
        {
            var version = refusal.Rule == "capability" ? $" (version {member.Agent.Hello.Version} of the contract)" : "";
            throw new RunEndException(EndingOf(refusal.Rule),
                $"{(member.Agent.Hello.Role == AgentRole.Backend ? "backend" : "agent")} {member.Agent.Id}{version} refused its assignment: {refusal.Message} ({refusal.Field}, rule {refusal.Rule})");
        }
    }

    private static RunEndException NotReady(string reason) => new(RunEnding.AgentsLost, reason);

    // What an agent may refuse is what was asked for, unless the share is too large for it or one of us is at fault.
    private static RunEnding EndingOf(string rule) => rule switch
    {
        "descriptors" or "endpoint-space" or "capability" => RunEnding.DoesNotFit,
        "internal" or "busy" or "required" => RunEnding.Internal,
        _ => RunEnding.Invalid,
    };

    private string Lag(RunMember member) =>
        member.Agent.Session is null ? "its link is down" : $"not ready after {_spec.ReadyTimeout.TotalSeconds:0.###} s";
}
