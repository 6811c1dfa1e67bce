using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Store;

namespace LoadHarness.Coordinator;

/// <summary>The coordinator of a local run: the same host as any other, behind a socket that only this user reaches.</summary>
internal sealed class InProcessCoordinator : ILocalCoordinator
{
    private readonly CoordinatorHost _host;
    private readonly FileLog _log;

    private InProcessCoordinator(CoordinatorHost host, FileLog log) => (_host, _log) = (host, log);

    /// <summary>Starts one.</summary>
    /// <exception cref="LocalFleetException">The socket or the credential cannot be made.</exception>
    public static async Task<ILocalCoordinator> StartAsync(RunPaths paths, CancellationToken cancel)
    {
        var log = new FileLog(paths.LogOf("coordinator"), TimeProvider.System);
        try
        {
            var host = await CoordinatorHost.StartAsync(
                new CoordinatorHostOptions
                {
                    SocketPath = paths.Socket,
                    CredentialPath = paths.Credential,
                    StorePath = paths.Store,
                    Log = log,
                },
                cancel);
            return new InProcessCoordinator(host, log);
        }
        catch (Exception e) when (e is CredentialException or StoreException)
        {
            log.Dispose();
            throw new LocalFleetException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    public void ReportExited(string agentId, string how) => _host.Agents.ReportExited(agentId, how);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _log.Dispose();
    }
}
