using System.Collections.Immutable;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator;

/// <summary>How a coordinator is hosted.</summary>
public sealed record CoordinatorHostOptions
{
    /// <summary>The Unix socket to listen on; its directory is made, with mode 0700, when it is missing.</summary>
    public required string SocketPath { get; init; }

    /// <summary>Where the generated credential goes, with mode 0600.</summary>
    public required string CredentialPath { get; init; }

    /// <summary>The credential; null: a new one for each start.</summary>
    public Credential? Credential { get; init; }

    /// <summary>Where to listen for TCP beside the socket: with TLS when there is a certificate, else on loopback only.</summary>
    public ImmutableArray<ListenAddress> Listen { get; init; } = [];

    /// <summary>What TCP listeners present; null: that of the state folder, when it has one.</summary>
    public CertificateFiles? Certificate { get; init; }

    /// <summary>The database of runs, samples and agents' keys; made when it is missing.</summary>
    public required string StorePath { get; init; }

    /// <summary>What is kept on disk; null: nothing, there are neither tokens nor certificates.</summary>
    public StateDirectory? State { get; init; }

    /// <summary>Heartbeats, lease, store.</summary>
    public FleetOptions Fleet { get; init; } = new();

    /// <summary>How much callers may ask.</summary>
    public RateLimits Rates { get; init; } = new();

    /// <summary>The clock of everything; tests give their own.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Events below this level are not written.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary>Takes the events; null: standard error.</summary>
    public ILoggerProvider? Log { get; init; }
}
