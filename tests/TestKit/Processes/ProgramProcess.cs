using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace LoadHarness.TestKit.Processes;

/// <summary>
/// A real program under test: its output is kept, its failures to come up show that output, and disposing it kills
/// whatever it started, orphans included. It leads a process group of its own, as one started by a shell does.
/// </summary>
public sealed class ProgramProcess : IAsyncDisposable
{
    private static int _last;

    private readonly Process _process;
    private readonly ProcessFamily _family;

    private ProgramProcess(ProgramStart start, Process process, ProcessFamily family)
    {
        What = start;
        _process = process;
        _family = family;
        Pid = process.Id;
        process.OutputDataReceived += (_, e) => Log.Append(isError: false, e.Data);
        process.ErrorDataReceived += (_, e) => Log.Append(isError: true, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What was started.</summary>
    public ProgramStart What { get; }

    /// <summary>Its process id.</summary>
    public int Pid { get; }

    /// <summary>What it wrote.</summary>
    public ProcessLog Log { get; } = new();

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Itself and everything that it started and that still runs, whoever the parent is by now.</summary>
    public IReadOnlyList<ProcessEntry> Family => _family.Members();

    /// <summary>Those of its family that run a program of that name.</summary>
    public IReadOnlyList<ProcessEntry> FamilyOf(string program) => [.. Family.Where(p => p.Pid != Pid && p.Program == program)];

    /// <summary>Starts a program.</summary>
    public static ProgramProcess Start(ProgramStart start)
    {
        var family = new ProcessFamily(FormattableString.Invariant($"{Environment.ProcessId}-{Interlocked.Increment(ref _last)}"));

        // Both programs replace themselves by the next one: the process id stays.
        var info = new ProcessStartInfo("setsid") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        if (start.Namespace is { } space)
        {
            info.ArgumentList.Add("nsenter");
            info.ArgumentList.Add($"--net={space.Path}");
        }

        foreach (var argument in start.Arguments.Prepend(start.FileName))
            info.ArgumentList.Add(argument);
        foreach (var (variable, value) in start.Environment)
            info.Environment[variable] = value;
        info.Environment[ProcessFamily.Variable] = family.Mark;
        return new(start, Process.Start(info)!, family);
    }

    /// <summary>Types a line into its standard input.</summary>
    public async Task TypeAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for a line.</summary>
    /// <exception cref="ProgramException">It did not come in time, or the program ended first.</exception>
    public async Task<Match> WaitForLineAsync([StringSyntax(StringSyntaxAttribute.Regex)] string pattern, TimeSpan timeout)
    {
        // By the wall clock: a machine that stands still makes no pattern hard to match.
        var regex = new Regex(pattern, RegexOptions.CultureInvariant, TimeSpan.FromMinutes(1));
        return await Log.FindAsync(regex, timeout)
            ?? throw new ProgramException(this, $"wrote no line that matches '{pattern}' within {timeout.TotalSeconds:0} s");
    }

    /// <summary>Waits for its end and for the last of its output.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="ProgramException">It is still running.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan timeout)
    {
        using var timer = new CancellationTokenSource(timeout);
        try
        {
            await _process.WaitForExitAsync(timer.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw new ProgramException(this, $"is still running after {timeout.TotalSeconds:0} s");
        }
    }

    /// <summary>Sends a signal to the process.</summary>
    public void Send(Signal signal) => Native.TryKill(Pid, (int)signal);

    /// <summary>Sends a signal to its whole process group: what a terminal does on Ctrl-C.</summary>
    public void SendToGroup(Signal signal) => Native.TryKill(-Pid, (int)signal);

    /// <summary>Sends a signal to one of its threads, or to one of a process that it started.</summary>
    public static void SendToThread(int pid, int threadId, Signal signal) => Native.KillThread(pid, threadId, (int)signal);

    /// <summary>Sends a signal to a process that a program under test started.</summary>
    public static void Send(int pid, Signal signal) => Native.TryKill(pid, (int)signal);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _family.KillAsync(Pid);
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(2));
        _process.Dispose();
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="ProgramException">It takes too long.</exception>
    public static async Task<ProgramResult> RunAsync(ProgramStart start, TimeSpan timeout)
    {
        await using var process = Start(start);
        var code = await process.WaitForExitAsync(timeout);
        return new(start, code, process.Log.Output, process.Log.Error, process.Log.Everything);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{What} (pid {Pid})");
}
