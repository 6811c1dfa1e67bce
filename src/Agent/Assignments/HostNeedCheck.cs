using System.Collections.Immutable;
using System.Net;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;
using LoadHarness.Agent.Workloads;
using LoadHarness.V1;
using HostNeed = LoadHarness.Agent.Preflight.HostNeed;

namespace LoadHarness.Agent.Assignments;

/// <summary>Holds the host against what an assignment asks of it.</summary>
internal static class HostNeedCheck
{
    /// <summary>What this host lacks for it: warnings and errors only. Some milliseconds.</summary>
    public static ImmutableArray<AgentFinding> Findings(Assignment assignment) =>
    [
        .. HostChecks.Run(NeedOf(assignment)).Select(c => c.ToFinding()).OfType<AgentFinding>()
            .Where(f => f.Severity is Finding.Types.Severity.Warning or Finding.Types.Severity.Error),
    ];

    /// <summary>The need that follows from an assignment.</summary>
    public static HostNeed NeedOf(Assignment assignment) => new()
    {
        Connections = assignment.Share,
        BothEnds = assignment.Destinations.Any(d => IPAddress.IsLoopback(d.Addresses.First.ToIPAddress())),
        // The schedule's rate is a bound: what is opened within a second cannot be more than the share.
        ConnectsPerSecond = Math.Min(assignment.Schedule.ConnectsPerSecond, assignment.Share),
        ClosesPerSecond = assignment.Shares.Sum(s => ClosesPerSecond(s.Plan) * s.Weight) * assignment.Share / assignment.Shares.Sum(s => (long)s.Weight),
        Accepts = assignment.Backend is not null,
    };

    // By our FIN, of one connection.
    private static double ClosesPerSecond(WorkloadPlan plan) =>
        plan is WorkloadPlan.Churn { Close: CloseMethod.Fin, Life: { } life } ? 1 / life.Mean.TotalSeconds : 0;
}
