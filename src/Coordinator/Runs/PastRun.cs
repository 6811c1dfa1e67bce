using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Runs;

/// <summary>A run that ended in an earlier life of the coordinator: what the store knows of it, and nothing that could change it.</summary>
internal sealed class PastRun(RunSnapshot snapshot) : IRun
{
    /// <inheritdoc/>
    public string RunId => snapshot.Id;

    /// <inheritdoc/>
    public Latest<RunSnapshot> Snapshot { get; } = new(snapshot);

    /// <inheritdoc/>
    public Task Ended => Task.CompletedTask;

    /// <inheritdoc/>
    public RunSockets? ReadSockets() => null;

    /// <inheritdoc/>
    public Task<string> ReportAsync() => Task.FromResult(snapshot.SummaryJson ?? throw RunRejectedException.NoReport(RunId, snapshot.Reason));

    /// <inheritdoc/>
    public Task ScaleAsync(long goal, TimeSpan? over) => throw RunRejectedException.NotUnderLoad(RunId, snapshot.State);

    /// <inheritdoc/>
    public Task ReconnectAsync(StormSpec storm) => throw RunRejectedException.NotHolding(RunId, snapshot.State);

    /// <inheritdoc/>
    public void Stop(bool immediately, string reason = "")
    {
        // It has ended.
    }
}
