namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>A coordinator inside this process. Users and agents reach it through its socket only; ends when it is disposed.</summary>
public interface ILocalCoordinator : IAsyncDisposable
{
    /// <summary>A child that is an agent was seen to end (waitpid): its sockets are gone, its share is free.</summary>
    /// <param name="agentId">Its identity.</param>
    /// <param name="how">In words: <c>exit code 2</c>.</param>
    void ReportExited(string agentId, string how);
}

/// <summary>Starts a coordinator that serves on a socket and has written its credential when this returns.</summary>
/// <param name="paths">Where socket and credential go.</param>
/// <param name="cancel">Gives up.</param>
public delegate Task<ILocalCoordinator> StartCoordinator(RunPaths paths, CancellationToken cancel);
