using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

public sealed partial class RunController
{
    /// <summary>Waits for agents, takes them and plans.</summary>
    private async Task GatherAsync(CancellationToken abandoned)
    {
        _stages.Begin(StageSpan.Prepare, 0, 0);
        var deadline = _clock.Nanos + CoordinatorClock.ToNanos(_spec.ReadyTimeout);
        while (true)
        {
            ThrowIfStopped();
            var found = _choice.Look();
            if (_choice.Take(found) is { } taken && TryEnlist(taken))
            {
                await AskAsync(deadline, abandoned);
                Plan();
                _firstLook.TrySetResult();
                return;
            }

            if (_choice.WhyNone(found) is { } reason)
                throw Reject(RunRejection.DoesNotFit, [reason]);
            _firstLook.TrySetResult();
            // Only children of ours are seen to exit, and those do not come back.
            if (_registry.Exits.LastOrDefault(e => _registry.Find(e.AgentId)?.Answers != true) is { } exit)
                throw NotReady($"agent {exit.AgentId} has ended ({exit.How}) before it was ready; {_choice.Missing(found)}");
            if (_clock.Nanos >= deadline)
                throw NotReady($"{_choice.Missing(found)} within {_spec.ReadyTimeout.TotalSeconds:0.###} s (--ready-timeout)");
            ShowWaiting(_choice.Missing(found));
            await TickAsync(abandoned);
        }
    }

    /// <summary>Whoever asked for the run may still wait for the answer to that: then there is no run.</summary>
    private RunEndException Reject(RunRejection kind, ImmutableArray<string> problems)
    {
        _firstLook.TrySetException(new RunRejectedException(kind, problems));
        return new(kind == RunRejection.Invalid ? RunEnding.Invalid : RunEnding.DoesNotFit, string.Join(" ", problems));
    }

    // Both sides or none: a run that holds one of them and waits for the other would keep it from others.
    private bool TryEnlist(AgentsFound taken)
    {
        if (!_roster.TryEnlist(taken.Clients))
            return false;
        if (_backends.TryEnlist(taken.Backends))
            return true;
        _roster.Dismiss(_roster.Members);
        return false;
    }

    /// <summary>Asks the agents about their hosts; those that do not answer in time are left out while there are others.</summary>
    private async Task AskAsync(long deadline, CancellationToken abandoned)
    {
        var asked = _roster.Members.Where(m => _survey.Concerns(m.Agent)).ToImmutableArray();
        if (asked.IsEmpty)
            return;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(abandoned);
        var asking = _survey.AskAsync([.. asked.Select(m => m.Agent)], ending.Token);
        _ = asking.ContinueWith(_ => _commands.Wake(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        try
        {
            for (var begun = _clock.Nanos; !asking.IsCompleted && _clock.Nanos < deadline;)
            {
                ThrowIfStopped();
                await TickAsync(abandoned);
                if (asking.IsCompleted || CoordinatorClock.Between(begun, _clock.Nanos) < RouteSurvey.Patience)
                    continue;
                // Whoever asked for the run need not wait for slow agents: he can watch.
                _firstLook.TrySetResult();
                ShowWaiting("agents are asked for the way to the target");
            }
        }
        finally
        {
            await ending.CancelAsync();
        }

        _planMaker.Replies = await asking;
        LeaveOutSilent([.. asked.Where(m => !_planMaker.Replies.ContainsKey(m.Agent.Id))]);
    }

    private void LeaveOutSilent(ImmutableArray<RunMember> silent)
    {
        if (silent.IsEmpty)
            return;
        var words = silent.ToImmutableDictionary(m => m, m =>
            m.Agent.Departure ?? $"it was asked for the way to the target and did not answer within {_spec.ReadyTimeout.TotalSeconds:0.###} s");
        if (silent.Length == _roster.Members.Length)
            throw NotReady($"agents did not get ready: {string.Join(", ", words.Select(w => $"{w.Key.Agent.Id} ({w.Value})"))}");
        foreach (var (member, why) in words)
            _measurements.Note(member.Agent.Id, new(Finding.Types.Severity.Warning, "ready", $"agent {member.Agent.Id} was left out: {why}"));
        _roster.Dismiss(silent);
    }

    private void ShowWaiting(string reason)
    {
        if (_snapshot.Value.Reason != reason)
            Publish(s => s with { Reason = reason });
    }

    private void Plan()
    {
        _planMaker.BackendNamespaces =
            [.. _backends.Members.Select(m => m.Agent.Hello.Inventory.NetworkNamespace)];
        var made = _planMaker.Make([.. _roster.Members.Select(m => m.Agent)], NextPlan);
        if (made.Plan is not { } plan)
            throw Reject(made.Rejection.Kind, made.Problems);
        Adopt(plan);
    }
}
