using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Link;
using Microsoft.Extensions.Hosting;

namespace LoadHarness.Agent.Cli;

/// <summary>Keeps the link until the process is to end; then everything is closed before Goodbye is said.</summary>
internal sealed class JoinService(
    AgentLink link, LeaseWatch leaseWatch, IAssignmentRunner runner, ShutdownSignals signals, IHostApplicationLifetime application)
    : BackgroundService
{
    /// <summary>Of the process.</summary>
    public int ExitCode { get; private set; } = Cli.ExitCode.Internal;

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        var reason = signals.Requested.IsCompletedSuccessfully ? signals.Requested.Result : "the agent ends";
        link.StopTakingAssignments();
        await DrainAsync(reason);
        link.Leave(reason);
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        leaseWatch.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await link.RunAsync(CancellationToken.None);
            ExitCode = Cli.ExitCode.Passed;
        }
        catch (LinkRefusedException e)
        {
            Console.Error.WriteLine($"loadharness-agent: {e.Message}");
            ExitCode = Cli.ExitCode.Refused;
        }
        finally
        {
            application.StopApplication();
        }
    }

    /// <summary>On a thread of its own: it may take as long as the drain's deadline, and the pool is wanted for the link.</summary>
    private Task DrainAsync(string reason)
    {
        var drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            runner.Drain(reason);
            drained.SetResult();
        });
        thread.Name = "drain";
        thread.IsBackground = true;
        thread.Start();
        return drained.Task;
    }
}
