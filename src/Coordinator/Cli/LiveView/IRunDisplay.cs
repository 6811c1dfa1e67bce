namespace LoadHarness.Coordinator.Cli.LiveView;

/// <summary>Shows how a run goes on while it does.</summary>
internal interface IRunDisplay
{
    /// <summary>Shows each update until they end.</summary>
    /// <returns>The last one.</returns>
    Task<RunView> FollowAsync(RunView first, IAsyncEnumerator<RunView> updates);
}
