using System.Collections.Immutable;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Workloads.Http;

namespace LoadHarness.Agent.Workloads;

/// <summary>Makes the workload of one reactor.</summary>
internal static class WorkloadFactory
{
    /// <summary>Makes what the shares of a run ask for: at least one.</summary>
    /// <param name="shares">Each a kind with its weight.</param>
    /// <param name="rounding">Of a mix, see <see cref="MixWorkload"/>.</param>
    public static IWorkload Create(ImmutableArray<WorkloadShare> shares, double rounding = 0.5) =>
        shares.Length == 1 ? Create(shares[0].Plan) : new MixWorkload([.. shares.Select(s => (s.Weight, Create(s.Plan)))], rounding);

    private static IWorkload Create(WorkloadPlan plan) => plan switch
    {
        WorkloadPlan.Churn churn => new ChurnWorkload(churn),
        WorkloadPlan.Http http => new RequestWorkload(new HttpExchange(http), http.Pace),
        WorkloadPlan.Echo echo => new RequestWorkload(new EchoExchange(echo.Size), echo.Pace),
        _ => new HoldWorkload(),
    };
}
