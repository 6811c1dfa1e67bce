using System.Runtime.InteropServices;
using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Cli;

/// <summary>
/// The first SIGTERM, SIGINT or SIGHUP asks for an orderly end, a second one ends the process at once. With a parent that
/// decides (`--exit-with-parent`) SIGINT and SIGHUP are ignored: Ctrl-C and a lost terminal reach the whole process group, and
/// the parent will say what to do.
/// </summary>
internal sealed class ShutdownSignals : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly TaskCompletionSource<string> _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Registers the handlers.</summary>
    public ShutdownSignals(bool parentDecides)
    {
        Register(PosixSignal.SIGTERM, 143);
        foreach (var (signal, exitCode) in new[] { (PosixSignal.SIGINT, 130), (PosixSignal.SIGHUP, 129) })
        {
            if (parentDecides)
                _registrations.Add(PosixSignalRegistration.Create(signal, static context => context.Cancel = true));
            else
                Register(signal, exitCode);
        }
    }

    /// <summary>Completes with the name of the first signal.</summary>
    public Task<string> Requested => _requested.Task;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    private void Register(PosixSignal signal, int exitCode) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        if (!_requested.TrySetResult(signal.ToString()))
            ParentProcess.ExitNow(exitCode);
    }));
}
