using System.Runtime.InteropServices;

namespace LoadHarness.Coordinator.Cli;

/// <summary>
/// SIGINT, SIGTERM and SIGHUP (the terminal is gone): the first asks for an orderly end, the second for an end at
/// once. None of them ends the process by itself. SIGHUP never counts as the second one: a lost terminal sends it more
/// than once, by the kernel and by the shell that dies with it. Where the work goes on without this process it does not count
/// at all: see <see cref="HangUpDetaches"/>.
/// </summary>
public sealed class Interrupts : IDisposable
{
    private readonly CancellationTokenSource _first = new();
    private readonly CancellationTokenSource _second = new();
    private readonly CancellationTokenSource _hangUp = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _count;

    /// <summary>Cancelled by the first.</summary>
    public CancellationToken First => _first.Token;

    /// <summary>Cancelled by the second.</summary>
    public CancellationToken Second => _second.Token;

    /// <summary>Cancelled when the terminal is lost.</summary>
    public CancellationToken HangUp => _hangUp.Token;

    /// <summary>A lost terminal is no interruption: the work goes on elsewhere.</summary>
    public bool HangUpDetaches { get; set; }

    /// <summary>Begins to take the signals of this process.</summary>
    public void Listen()
    {
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                if (signal == PosixSignal.SIGHUP)
                    RaiseHangUp();
                else
                    Raise();
            }));
        }
    }

    /// <summary>The terminal is lost. That is an interruption only when there was none before.</summary>
    public void RaiseHangUp()
    {
        _ = _hangUp.CancelAsync();
        if (!HangUpDetaches && Interlocked.CompareExchange(ref _count, 1, 0) == 0)
            _ = _first.CancelAsync();
    }

    /// <summary>Counts one interruption.</summary>
    public void Raise()
    {
        // Cancelled on a pool thread: the signal's handler returns at once whatever hangs on the token.
        switch (Interlocked.Increment(ref _count))
        {
            case 1:
                _ = _first.CancelAsync();
                break;
            case 2:
                _ = _second.CancelAsync();
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registrations.ForEach(r => r.Dispose());
        _first.Dispose();
        _second.Dispose();
        _hangUp.Dispose();
    }
}
