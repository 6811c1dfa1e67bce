using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Agents that are lost and come back while a run goes on.</summary>
public sealed partial class RunController
{
    /// <summary>An agent that drains again whatever it is told is not told so all the time.</summary>
    private static readonly TimeSpan _rousePause = TimeSpan.FromSeconds(5);

    // A lost agent's share stays open: its blocks may still be in use, and taking the share over is a plan of its own.
    private void ReviewAgents(TimeSpan elapsed)
    {
        ReviewLosses(elapsed);
        if (!_roster.Working.Any())
        {
            var last = _roster.Members[^1];
            throw new RunEndException(RunEnding.AgentsLost, $"every agent was lost; {last.Agent.Id}: {last.Lost}");
        }

        _roster.ReviewReaders(elapsed);
        _backends.ReviewReaders(elapsed);
        RouseIdlers(_roster, "open its share", elapsed);
        RouseIdlers(_backends, "listen", elapsed);
        NoteFindings();
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

    private void ReviewLosses(TimeSpan elapsed)
    {
        var changed = _roster.ReviewLosses(_plan!.DrainTimeout).Concat(_backends.ReviewLosses(_plan.DrainTimeout));
        foreach (var member in changed)
        {
            if (member.Lost is { } how)
            {
                LogLost(_log, RunId, member.Agent.Id, how);
                _measurements.Lose(member.Agent.Id, elapsed, how);
            }
            else
            {
                _measurements.Return(member.Agent.Id, elapsed);
            }
        }
    }
}
