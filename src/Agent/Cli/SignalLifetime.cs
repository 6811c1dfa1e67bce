using Microsoft.Extensions.Hosting;

namespace LoadHarness.Agent.Cli;

/// <summary>Stops the host at the first signal.</summary>
internal sealed class SignalLifetime(ShutdownSignals signals, IHostApplicationLifetime application) : IHostLifetime
{
    /// <inheritdoc/>
    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _ = signals.Requested.ContinueWith(_ => application.StopApplication(), TaskScheduler.Default);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
