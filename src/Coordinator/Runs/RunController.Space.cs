using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>The endpoint space while a run goes on: addresses that go and come back, blocks that are given back.</summary>
public sealed partial class RunController
{
    /// <summary>Blocks come back one by one; every time is a revision for all agents.</summary>
    private static readonly TimeSpan _reclaimPause = TimeSpan.FromSeconds(5);

    /// <summary>An agent whose addresses come and go all the time makes no new plan of the whole run each time.</summary>
    private static readonly TimeSpan _sourcesPause = TimeSpan.FromSeconds(2);

    private TimeSpan _reclaimedAt = TimeSpan.MinValue / 2;
    private TimeSpan _sourcesAt = TimeSpan.MinValue / 2;

    // Plans again when the addresses have changed that agents find gone: their share moves to the other ones, as far as it fits.
    private void ReviewSources(TimeSpan elapsed)
    {
        var (before, now) = (_planMaker.Gone, _roster.GoneSources());
        // Where nobody works any more nobody says that a source is back.
        now = now.SetItems(before.Where(b => !_roster.Working.Any(m => m.Agent.Hello.Inventory.NetworkNamespace == b.Key)));
        if (Flat(before).SetEquals(Flat(now)) || elapsed - _sourcesAt < _sourcesPause)
            return;
        _sourcesAt = elapsed;
        _planMaker.Gone = now;
        var made = PlanOn(ScaleOrder.GoOn(elapsed, _asked), []);
        NoteSources(before, now, made, elapsed);
        if (made.Plan is not { } plan)
            return;
        Pursue(plan, elapsed);
    }

    private void NoteSources(
        ImmutableDictionary<string, ImmutableHashSet<IpAddress>> before, ImmutableDictionary<string, ImmutableHashSet<IpAddress>> now,
        PlanMade made, TimeSpan elapsed)
    {
        var what = made switch
        {
            { Plan: null } => $"the run goes on as it was planned, for it cannot be planned again: {string.Join(" ", made.Problems)}",
            { Plan.Cut: { } cut } plan => $"{plan.Plan.Goal:N0} of {cut.Asked:N0} connections fit what is left, and the run goes on with these",
            _ => "its share moves to the other addresses",
        };
        var at = $"after {elapsed.TotalSeconds:0} s";
        foreach (var (network, source) in Flat(now).Except(Flat(before)))
            NoteSource(network, source, "gone", $"source {source} is gone from host {HostOf(network)} {at}: {what}");
        foreach (var (network, source) in Flat(before).Except(Flat(now)))
            NoteSource(network, source, "back", $"source {source} is back on host {HostOf(network)} {at}: it may be used again");
    }

    private void NoteSource(string network, IpAddress source, string what, string message)
    {
        var agent = _roster.Everyone.First(m => m.Agent.Hello.Inventory.NetworkNamespace == network).Agent.Id;
        _measurements.Note(agent, new(Finding.Types.Severity.Warning, $"source {source} {what}", message));
    }

    private string HostOf(string network) =>
        _roster.Everyone.First(m => m.Agent.Hello.Inventory.NetworkNamespace == network).Agent.Hello.Inventory.Hostname;

    private static ImmutableHashSet<(string Network, IpAddress Source)> Flat(ImmutableDictionary<string, ImmutableHashSet<IpAddress>> gone) =>
        [.. gone.SelectMany(g => g.Value.Select(a => (g.Key, a)))];

    private void ReviewEmptied(TimeSpan elapsed)
    {
        if (elapsed - _reclaimedAt < _reclaimPause || _planMaker.Reclaim(_plan!, _roster.Emptied()) is not { } plan)
            return;
        _reclaimedAt = elapsed;
        Adopt(plan);
        Command(Phase.Running, plan.DrainTimeout);
    }
}
