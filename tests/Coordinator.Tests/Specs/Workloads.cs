using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;
using WorkloadShare = LoadHarness.Coordinator.Specs.WorkloadShare;

namespace LoadHarness.Coordinator.Tests.Specs;

/// <summary>Workloads of specs.</summary>
internal static class Workloads
{
    /// <summary>Every connection lives so long.</summary>
    public static ImmutableArray<WorkloadShare> Churn(TimeSpan life, CloseMethod close) =>
        [new(1, new WorkloadSpec.Churn(new(LifetimeSpread.Fixed, life, life), close))];
}
