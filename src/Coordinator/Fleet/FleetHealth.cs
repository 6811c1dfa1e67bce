using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>Healthy as long as agents are let in.</summary>
public sealed class FleetHealth(AgentRegistry registry) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(registry.Closing.IsCancellationRequested ? HealthCheckResult.Unhealthy("the coordinator is ending") : HealthCheckResult.Healthy());
}
