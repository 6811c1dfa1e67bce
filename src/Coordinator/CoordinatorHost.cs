using System.Collections.Immutable;
using Grpc.AspNetCore.Server.Model;
using LoadHarness.Coordinator.Api;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Store;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;

namespace LoadHarness.Coordinator;

/// <summary>
/// A coordinator in this process: the agents' link and the users' API, on a Unix socket and on any number of TCP ports. Every call is made by
/// somebody who is known.
/// </summary>
public sealed class CoordinatorHost : IAsyncDisposable
{
    private const int MostConnections = 10_000;
    private const int MostStreams = 100;

    // A connection without a call; those of agents and watchers always have one.
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan _pingDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _shutdown = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly CoordinatorHostOptions _options;
    private readonly Listeners _listeners;
    private int _closed;

    private CoordinatorHost(WebApplication app, CoordinatorHostOptions options, Listeners listeners) =>
        (_app, _options, _listeners) = (app, options, listeners);

    /// <summary>The agents.</summary>
    public AgentRegistry Agents => _app.Services.GetRequiredService<AgentRegistry>();

    /// <summary>The runs.</summary>
    public RunRegistry Runs => _app.Services.GetRequiredService<RunRegistry>();

    /// <summary>Where it keeps everything.</summary>
    internal CoordinatorStore Store => _app.Services.GetRequiredService<CoordinatorStore>();

    /// <summary>Where it listens for TCP, with the ports that were chosen for it.</summary>
    public ImmutableArray<ListenAddress> Addresses => _listeners.Addresses;

    /// <summary>Whether those listeners speak TLS.</summary>
    public bool Tls => _listeners.Certificate is not null;

    /// <summary>Starts a coordinator; when this returns agents and users can dial it.</summary>
    /// <exception cref="CredentialException">It cannot listen, or a credential, token or certificate file cannot be used; the message says what to do.</exception>
    /// <exception cref="StoreException">The store cannot be used; the message says what to do.</exception>
    public static async Task<CoordinatorHost> StartAsync(CoordinatorHostOptions options, CancellationToken cancel = default)
    {
        LocalSocketListener.Prepare(options.SocketPath);
        var listeners = Listeners.Open(options);
        CoordinatorHost? host = null;
        try
        {
            var credential = options.Credential ?? Credential.Generate();
            CredentialFile.Write(options.CredentialPath, credential);
            host = new CoordinatorHost(Build(options, listeners, credential), options, listeners);
            // Before anybody can dial: a file that cannot be used ends the start, and runs of earlier lives are there from the first call on.
            _ = host.Runs;
            host._app.Services.GetService<ServerCertificates>();
            host._app.Services.GetRequiredService<Authenticator>();
            await host._app.StartAsync(cancel);
            LocalSocketListener.Protect(options.SocketPath);
            return host;
        }
        catch (Exception e)
        {
            listeners.Dispose();
            if (host is not null)
                await host.CloseAsync();
            if (e is IOException)
                throw new CredentialException($"cannot listen on {options.SocketPath}: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Drains every run that goes on, lets the agents go and stops listening.</summary>
    /// <param name="cancel">Stops waiting for drains, and for calls to end.</param>
    public async Task StopAsync(CancellationToken cancel = default)
    {
        await Runs.StopAllAsync("the coordinator was stopped", cancel);
        Agents.EndAll("the coordinator has stopped");
        await _app.StopAsync(cancel);
        File.Delete(_options.CredentialPath);
    }

    /// <summary>Stops listening at once; runs that go on are given up, and agents end them by their leases.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
            return;
        Agents.EndAll("the coordinator has ended");
        await CloseAsync();
    }

    private async ValueTask CloseAsync()
    {
        await _app.DisposeAsync();
        File.Delete(_options.CredentialPath);
    }

    private static WebApplication Build(CoordinatorHostOptions options, Listeners listeners, Credential credential)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        // Settings files and variables of the directory that it is started in are not for us.
        builder.Configuration.Sources.Clear();
        ConfigureLog(builder.Logging, options);
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options, listeners));
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
            s.GetRequiredService<ILogger<RunRegistry>>()));
        AddSecurity(services, options, listeners, credential);
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = CoordinatorLimits.MaxMessageBytes;
            grpc.MaxSendMessageSize = CoordinatorLimits.MaxMessageBytes;
            grpc.Interceptors.Add<StreamLimiter>();
        });
        services.RemoveAll(typeof(IServiceMethodProvider<>));
        services.AddSingleton(typeof(IServiceMethodProvider<>), typeof(GuardedMethods<>));
        services.AddGrpcHealthChecks().AddCheck<FleetHealth>("");
        var app = builder.Build();
        app.UseMiddleware<AccessGate>();
        app.MapGrpcService<AgentLinkService>();
        app.MapGrpcService<ControlService>();
        app.MapGrpcHealthChecksService();
        return app;
    }

    private static FleetOptions FleetOf(CoordinatorHostOptions options, CoordinatorStore store) =>
        options.Fleet with { StoreId = store.Id, Epoch = store.Epoch };

    private static void AddSecurity(IServiceCollection services, CoordinatorHostOptions options, Listeners listeners, Credential credential)
    {
        services.AddSingleton<Enrolment>();
        services.AddSingleton(new CallLimits(options.Rates));
        services.AddSingleton<StreamLimiter>();
        services.AddSingleton(options.Time);
        services.AddSingleton(s => new Authenticator(
            credential,
            options.CredentialPath,
            options.State is { } state ? new TokenStore(new(state.Tokens), s.GetRequiredService<ILogger<TokenStore>>()) : null,
            s.GetRequiredService<IAgentKeys>(),
            options.State is { } directory ? new AgentCertificates(directory.CaCertificate, options.Time) : null,
            s.GetRequiredService<CallLimits>(),
            options.Time));
        if (listeners.Certificate is { } files)
            services.AddSingleton(s => new ServerCertificates(files, options.Time, s.GetRequiredService<ILogger<ServerCertificates>>()));
    }

    private static void ConfigureLog(ILoggingBuilder logging, CoordinatorHostOptions options)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(options.LogLevel);
        // What the framework does in each call is for those who look for a defect.
        if (options.LogLevel == LogLevel.Information)
            logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Grpc", LogLevel.Warning);
        if (options.Log is { } provider)
        {
            logging.AddProvider(provider);
            return;
        }

        // Standard output belongs to results.
        logging.AddSimpleConsole(c => (c.SingleLine, c.ColorBehavior) = (true, LoggerColorBehavior.Disabled));
        logging.Services.Configure<ConsoleLoggerOptions>(c => c.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    private static void Listen(KestrelServerOptions kestrel, CoordinatorHostOptions options, Listeners listeners)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Limits.KeepAliveTimeout = _idle;
        kestrel.Limits.Http2.MaxStreamsPerConnection = MostStreams;
        kestrel.Limits.Http2.KeepAlivePingDelay = _pingDelay;
        kestrel.Limits.Http2.KeepAlivePingTimeout = _pingDelay;
        kestrel.ListenUnixSocket(options.SocketPath, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UsePeerCheck(PeerCredentials.OwnUserId());
        });
        listeners.Configure(kestrel);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
