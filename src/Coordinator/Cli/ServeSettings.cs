using System.Collections.Immutable;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.Cli;

/// <summary>What <c>serve</c> was asked for.</summary>
public sealed record ServeSettings
{
    /// <summary>Where the service keeps what it keeps.</summary>
    public required StateDirectory State { get; init; }

    /// <summary>Where sockets of this user's coordinators are found.</summary>
    public required RuntimeRoot RuntimeRoot { get; init; }

    /// <summary>TCP listeners.</summary>
    public ImmutableArray<ListenAddress> Listen { get; init; } = [];

    /// <summary>The Unix socket; null: in a folder of its own below <see cref="RuntimeRoot"/>.</summary>
    public string? Socket { get; init; }

    /// <summary>What TCP listeners present; null: the state folder's.</summary>
    public CertificateFiles? Certificate { get; init; }

    /// <summary>How long agents go on without hearing from the service; null: the default.</summary>
    public TimeSpan? Lease { get; init; }

    /// <summary>Events below this level are not written.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}

/// <summary>A coordinator that runs until it is stopped.</summary>
public interface IService : IAsyncDisposable
{
    /// <summary>Its Unix socket.</summary>
    string Socket { get; }

    /// <summary>The credential that opens it.</summary>
    string Credential { get; }

    /// <summary>Its TCP listeners, with the ports that were chosen.</summary>
    ImmutableArray<ListenAddress> Addresses { get; }

    /// <summary>Whether those speak TLS.</summary>
    bool Tls { get; }

    /// <summary>Drains every run that goes on and stops.</summary>
    /// <param name="cancel">Ends at once instead.</param>
    Task StopAsync(CancellationToken cancel);
}

/// <summary>Starts a service; it can be dialled when this returns.</summary>
/// <exception cref="CredentialException">It cannot listen, or one of its files cannot be used.</exception>
public delegate Task<IService> StartService(ServeSettings settings, CancellationToken cancel);
