using System.Collections.Immutable;
using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Security;
using Microsoft.Extensions.Hosting.Systemd;

namespace LoadHarness.Coordinator;

/// <summary>The coordinator as a service: the same host as that of a local run, with a state folder, and TCP listeners beside its socket.</summary>
internal sealed class ServiceCoordinator : IService
{
    private readonly CoordinatorHost _host;
    private readonly IDisposable _state;
    private readonly RunDirectory? _directory;
    private readonly SystemdNotifier _systemd;

    private ServiceCoordinator(CoordinatorHost host, IDisposable state, RunDirectory? directory, string socket, string credential)
    {
        (_host, _state, _directory, Socket, Credential) = (host, state, directory, socket, credential);
        // Silent unless systemd waits for it (sd_notify(3)).
        _systemd = new SystemdNotifier();
        _systemd.Notify(ServiceState.Ready);
    }

    /// <inheritdoc/>
    public string Socket { get; }

    /// <inheritdoc/>
    public string Credential { get; }

    /// <inheritdoc/>
    public ImmutableArray<ListenAddress> Addresses => _host.Addresses;

    /// <inheritdoc/>
    public bool Tls => _host.Tls;

    /// <summary>Starts it.</summary>
    /// <exception cref="CredentialException">It cannot listen, another one has the state folder, or one of its files cannot be used.</exception>
    /// <exception cref="LocalFleetException">There is no place for its socket.</exception>
    public static async Task<IService> StartAsync(ServeSettings settings, CancellationToken cancel)
    {
        var state = settings.State.Lock();
        RunDirectory? directory = null;
        try
        {
            directory = settings.Socket is null ? MakeDirectory(settings.RuntimeRoot, TimeProvider.System.GetUtcNow()) : null;
            var socket = directory?.Paths.Socket ?? Path.GetFullPath(settings.Socket!);
            var credential = directory?.Paths.Credential ?? Path.Combine(Path.GetDirectoryName(socket)!, "credential");
            var host = await CoordinatorHost.StartAsync(OptionsOf(settings, socket, credential), cancel);
            return new ServiceCoordinator(host, state, directory, socket, settings.State.Credential);
        }
        catch
        {
            directory?.Dispose();
            state.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancel)
    {
        _systemd.Notify(ServiceState.Stopping);
        await _host.StopAsync(cancel);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _directory?.Dispose();
        _state.Dispose();
    }

    private static RunDirectory MakeDirectory(RuntimeRoot root, DateTimeOffset now)
    {
        root.Ensure();
        root.RemoveStale(now);
        return RunDirectory.Create(root, now);
    }

    private static CoordinatorHostOptions OptionsOf(ServeSettings settings, string socket, string credential)
    {
        var fleet = new FleetOptions();
        return new CoordinatorHostOptions
        {
            SocketPath = socket,
            CredentialPath = credential,
            Credential = CredentialFile.Keep(settings.State.Credential),
            StorePath = settings.State.Store,
            State = settings.State,
            Listen = settings.Listen,
            Certificate = settings.Certificate,
            Fleet = settings.Lease is { } lease ? fleet with { Lease = lease } : fleet,
            LogLevel = settings.LogLevel,
        };
    }
}
