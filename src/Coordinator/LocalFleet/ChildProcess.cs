using System.Diagnostics;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>
/// A child that is running or has ended. Its standard input is a pipe whose only write end is here: when this
/// process dies in whatever way, the child reads its end and goes too.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan _logGrace = TimeSpan.FromSeconds(1);

    private readonly Process _process;
    private readonly ChildLog _log;
    private readonly Task _pumps;
    private volatile bool _stopping;

    private ChildProcess(ChildSpec spec, Process process, ChildLog log)
    {
        Spec = spec;
        Pid = process.Id;
        _process = process;
        _log = log;
        _pumps = Task.WhenAll(log.PumpAsync(process.StandardError.BaseStream), log.PumpAsync(process.StandardOutput.BaseStream));
        Exited = WaitAsync();
    }

    /// <summary>What was started.</summary>
    public ChildSpec Spec { get; }

    /// <summary>Its process id.</summary>
    public int Pid { get; }

    /// <summary>
    /// Completes once the kernel has given the child back (waitpid): from then on none of its sockets is left.
    /// </summary>
    public Task<ChildExit> Exited { get; }

    /// <summary>The last lines that it wrote.</summary>
    public IReadOnlyList<string> Tail(int lines) => _log.Tail(lines);

    /// <summary>Starts a child on the calling thread, which must outlive it: PR_SET_PDEATHSIG follows the creating thread.</summary>
    /// <exception cref="LocalFleetException">It cannot be executed.</exception>
    internal static ChildProcess Start(ChildSpec spec)
    {
        ChildLog? log = null;
        try
        {
            log = new ChildLog(spec.LogPath);
            return new(spec, Process.Start(StartInfo(spec))!, log);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException or UnauthorizedAccessException)
        {
            log?.Dispose();
            throw new LocalFleetException($"cannot start {spec.Name} ({spec.Program.FileName}): {e.Message}", e);
        }
    }

    /// <summary>Asks it to go by ending its standard input, then, after a while, kills it; returns when it has ended.</summary>
    /// <param name="grace">Zero kills at once.</param>
    public async Task StopAsync(TimeSpan grace)
    {
        _stopping = true;
        CloseInput();
        if (grace > TimeSpan.Zero && await Task.WhenAny(Exited, Task.Delay(grace)) == Exited)
            return;
        _process.Kill();
        await Exited;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        _process.Dispose();
        _log.Dispose();
    }

    private static ProcessStartInfo StartInfo(ChildSpec spec)
    {
        var info = new ProcessStartInfo(spec.Program.FileName, [.. spec.Program.LeadingArguments, .. spec.Arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (spec.Program.DotnetRoot is { } root)
            info.Environment.TryAdd("DOTNET_ROOT", root);
        return info;
    }

    private async Task<ChildExit> WaitAsync()
    {
        await _process.WaitForExitAsync();

        // A grandchild may hold the pipes open: what it writes is not waited for.
        await Task.WhenAny(_pumps, Task.Delay(_logGrace));
        return new(Spec.Name, Pid, _process.ExitCode, _stopping);
    }

    private void CloseInput()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has gone already.
        }
    }
}
