using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Link;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Provisioning;
using LoadHarness.Agent.Safety;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Agent.Cli;

/// <summary>Puts a joining agent together and runs it.</summary>
internal static class JoinHost
{
    /// <summary>Runs until the agent has left.</summary>
    /// <returns>The exit code.</returns>
    /// <param name="options">How it joins.</param>
    /// <param name="stateFolder">Where this host's agents keep what outlives them.</param>
    /// <param name="level">Of the log.</param>
    /// <param name="parentDecides">Leaves a terminal's signals to the parent.</param>
    public static int Run(LinkOptions options, string stateFolder, LogLevel level, bool parentDecides)
    {
        using var signals = new ShutdownSignals(parentDecides);
        RuntimeWarmUp.Touch();
        var log = new StandardErrorLog();
        var provisioned = log.CreateLogger(typeof(SourceProvisioner).FullName!);
        using var provisioner = new SourceProvisioner(
            options.Policy.AllowProvision, Path.Combine(stateFolder, "provision"), NamespaceIdentity.Read(), provisioned.Provisioned);
        // Before the inventory is read: what is left of a dead agent is not this host's.
        provisioner.CleanUp();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddProvider(log).SetMinimumLevel(level).AddFilter("Microsoft", LogLevel.Warning);
        builder.Services
            .AddSingleton(options)
            .AddSingleton(signals)
            .AddSingleton<IHostLifetime, SignalLifetime>()
            .AddSingleton(HostInventory.Read())
            .AddSingleton<SampleOutbox>(_ => new SampleOutbox())
            .AddSingleton<CoordinatorClock>()
            .AddSingleton<Lease>()
            .AddSingleton<IAssignmentRunner>(services => new AssignmentRunner(
                services.GetRequiredService<CoordinatorClock>(),
                services.GetRequiredService<Lease>(),
                options.Policy,
                services.GetRequiredService<SampleOutbox>().Add,
                services.GetRequiredService<ILoggerFactory>(),
                provisioner: provisioner))
            .AddSingleton<LeaseWatch>()
            .AddSingleton<AgentLink>()
            .AddSingleton<JoinService>()
            .AddHostedService(services => services.GetRequiredService<JoinService>())
            // A drain has a deadline of its own.
            .Configure<HostOptions>(host => host.ShutdownTimeout = Timeout.InfiniteTimeSpan);
        using var host = builder.Build();
        // Run disposes the host, and its services with it.
        var service = host.Services.GetRequiredService<JoinService>();
        host.Run();
        return service.ExitCode;
    }
}
