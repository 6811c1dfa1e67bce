using LoadHarness.Coordinator.Api;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Store;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Console;

namespace LoadHarness.Coordinator;

/// <summary>How a coordinator is hosted.</summary>
public sealed record CoordinatorHostOptions
{
    /// <summary>The Unix socket to listen on; its directory is made, with mode 0700, when it is missing.</summary>
    public required string SocketPath { get; init; }

    /// <summary>Where the generated credential goes, with mode 0600.</summary>
    public required string CredentialPath { get; init; }

    /// <summary>The database of runs, samples and agents' keys; made when it is missing.</summary>
    public required string StorePath { get; init; }

    /// <summary>What is kept on disk; null: nothing, there are neither tokens nor certificates.</summary>
    public StateDirectory? State { get; init; }

    /// <summary>Heartbeats, lease, store.</summary>
    public FleetOptions Fleet { get; init; } = new();

    /// <summary>The clock of everything; tests give their own.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Events below this level are not written.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary>Takes the events; null: standard error.</summary>
    public ILoggerProvider? Log { get; init; }
}

/// <summary>A coordinator in this process: the agents' link and the users' API on one Unix socket, both behind a credential.</summary>
public sealed class CoordinatorHost : IAsyncDisposable
{
    private static readonly TimeSpan _pingDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _shutdown = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly CoordinatorHostOptions _options;

    private CoordinatorHost(WebApplication app, CoordinatorHostOptions options) => (_app, _options) = (app, options);

    /// <summary>The agents.</summary>
    public AgentRegistry Agents => _app.Services.GetRequiredService<AgentRegistry>();

    /// <summary>The runs.</summary>
    public RunRegistry Runs => _app.Services.GetRequiredService<RunRegistry>();

    /// <summary>Starts a coordinator; when this returns agents and users can dial it.</summary>
    /// <exception cref="CredentialException">The socket or the credential file cannot be made; the message says what to do.</exception>
    /// <exception cref="StoreException">The store cannot be used; the message says what to do.</exception>
    public static async Task<CoordinatorHost> StartAsync(CoordinatorHostOptions options, CancellationToken cancel = default)
    {
        LocalSocketListener.Prepare(options.SocketPath);
        var credential = Credential.Generate();
        CredentialFile.Write(options.CredentialPath, credential);
        var host = new CoordinatorHost(Build(options, credential), options);
        try
        {
            // Before anybody can dial: a store that cannot be used ends the start, and runs of earlier lives are there from the first call on.
            _ = host.Runs;
            await host._app.StartAsync(cancel);
            LocalSocketListener.Protect(options.SocketPath);
            return host;
        }
        catch (Exception e)
        {
            await host.CloseAsync();
            if (e is IOException)
                throw new CredentialException($"cannot listen on {options.SocketPath}: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Drains every run that goes on, lets the agents go and stops listening.</summary>
    /// <param name="cancel">Stops waiting for drains.</param>
    public async Task StopAsync(CancellationToken cancel = default)
    {
        await Runs.StopAllAsync("the coordinator was stopped", cancel);
        Agents.EndAll("the coordinator has stopped");
        await _app.StopAsync(CancellationToken.None);
        File.Delete(_options.CredentialPath);
    }

    /// <summary>Stops listening at once; runs that go on are given up, and agents end them by their leases.</summary>
    public async ValueTask DisposeAsync()
    {
        Agents.EndAll("the coordinator has ended");
        await CloseAsync();
    }

    private async ValueTask CloseAsync()
    {
        await _app.DisposeAsync();
        File.Delete(_options.CredentialPath);
    }

    private static WebApplication Build(CoordinatorHostOptions options, Credential credential)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        // Settings files and variables of the directory that it is started in are not for us.
        builder.Configuration.Sources.Clear();
        ConfigureLog(builder.Logging, options);
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        var services = builder.Services;
        // Signals are the command line's business.
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.Configure<HostOptions>(o => o.ShutdownTimeout = _shutdown);
        // Made by the container, so that it is closed after everything that writes to it.
        services.AddSingleton(s => CoordinatorStore.Open(
            options.StorePath, options.Time, s.GetRequiredService<ILogger<CoordinatorStore>>()));
        services.AddSingleton<IAgentKeys>(s => s.GetRequiredService<CoordinatorStore>().AgentKeys);
        services.AddSingleton(s => new AgentRegistry(
            new CoordinatorClock(options.Time), FleetOf(options, s.GetRequiredService<CoordinatorStore>())));
        services.AddSingleton(s => new RunRegistry(
            s.GetRequiredService<AgentRegistry>(),
            s.GetRequiredService<CoordinatorStore>(),
            OwnNamespace.Read(),
            s.GetRequiredService<ILogger<RunRegistry>>()));
        services.AddSingleton(new CredentialInterceptor(credential, options.CredentialPath));
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = CoordinatorLimits.MaxMessageBytes;
            grpc.MaxSendMessageSize = CoordinatorLimits.MaxMessageBytes;
            grpc.Interceptors.Add<CredentialInterceptor>();
        });
        var app = builder.Build();
        app.MapGrpcService<AgentLinkService>();
        app.MapGrpcService<ControlService>();
        return app;
    }

    private static FleetOptions FleetOf(CoordinatorHostOptions options, CoordinatorStore store) =>
        options.Fleet with { StoreId = store.Id, Epoch = store.Epoch };

    private static void ConfigureLog(ILoggingBuilder logging, CoordinatorHostOptions options)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(options.LogLevel);
        if (options.Log is { } provider)
        {
            logging.AddProvider(provider);
            return;
        }

        // Standard output belongs to results.
        logging.AddSimpleConsole(c => (c.SingleLine, c.ColorBehavior) = (true, LoggerColorBehavior.Disabled));
        logging.Services.Configure<ConsoleLoggerOptions>(c => c.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    private static void Listen(KestrelServerOptions kestrel, CoordinatorHostOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.Http2.KeepAlivePingDelay = _pingDelay;
        kestrel.Limits.Http2.KeepAlivePingTimeout = _pingDelay;
        kestrel.ListenUnixSocket(options.SocketPath, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UsePeerCheck(PeerCredentials.OwnUserId());
        });
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
