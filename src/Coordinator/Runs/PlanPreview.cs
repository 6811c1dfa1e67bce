using System.Collections.Immutable;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Runs;

/// <summary>The arithmetic of a run over the agents as they are. It takes no agent, holds no block and leaves nothing behind.</summary>
/// <param name="spec">What is asked for.</param>
/// <param name="environment">Agents, and what live runs hold.</param>
internal sealed class PlanPreview(RunSpec spec, RunEnvironment environment)
{
    private const string WithoutAgents = "For a fleet that is not there yet give --sources-per-agent";
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(100);

    private readonly AgentChoice _choice = new(environment.Registry, spec);

    /// <summary>Waits for the agents as a run would, asks them for the way to the target, and computes.</summary>
    /// <exception cref="RunRejectedException">They are not there or do not answer in time, or the request is wrong in itself.</exception>
    public async Task<CapacityReport> MakeAsync(CancellationToken cancel)
    {
        var clock = environment.Registry.Clock;
        using var patience = new CancellationTokenSource(spec.ReadyTimeout, clock.Time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token, environment.Registry.Closing);
        var found = await GatherAsync(ending.Token, patience.Token);
        var survey = new RouteSurvey(spec, clock);
        var asked = found.Clients.Where(survey.Concerns).ToImmutableArray();
        var replies = await survey.AskAsync(asked, ending.Token);
        cancel.ThrowIfCancellationRequested();
        // As in a run: those that do not answer are left out while there are others.
        var clients = found.Clients.Where(a => !asked.Contains(a) || replies.ContainsKey(a.Id)).ToImmutableArray();
        if (clients.IsEmpty)
            throw NotThere($"no agent has answered the question for the way to the target within {Waited}");
        var maker = new PlanMaker("", spec, environment.Ledger)
        {
            Replies = replies,
            BackendNamespaces = [.. found.Backends.Select(b => b.Hello.Inventory.NetworkNamespace)],
        };
        var report = maker.Report(clients);
        return report.IsInvalid ? throw new RunRejectedException(RunRejection.Invalid, report.Refusals) : report;
    }

    private string Waited => $"{spec.ReadyTimeout.TotalSeconds:0.###} s (--ready-timeout)";

    private async Task<AgentsFound> GatherAsync(CancellationToken ending, CancellationToken patience)
    {
        while (true)
        {
            var found = _choice.Look();
            if (_choice.Take(found) is { } taken)
                return taken;
            if (_choice.WhyNone(found) is { } reason)
                throw new RunRejectedException(RunRejection.DoesNotFit, [$"{reason}. {WithoutAgents}."]);
            // Only children of ours are seen to exit, and those do not come back.
            if (environment.Registry.Exits.LastOrDefault(e => environment.Registry.Find(e.AgentId)?.Answers != true) is { } exit)
                throw NotThere($"agent {exit.AgentId} has ended ({exit.How}) before it was ready; {_choice.Missing(found)}");
            if (patience.IsCancellationRequested)
                throw NotThere($"{_choice.Missing(found)} within {Waited}");
            ending.ThrowIfCancellationRequested();
            await Task.Delay(_pause, environment.Registry.Clock.Time, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static RunRejectedException NotThere(string reason) => new(RunRejection.Unavailable, [$"{reason}. {WithoutAgents}."]);
}
