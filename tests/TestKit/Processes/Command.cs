using System.Diagnostics;

namespace LoadHarness.TestKit.Processes;

/// <summary>Short helper programs of the system, such as ip and ss.</summary>
public static class Command
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    /// <summary>Runs one to its end.</summary>
    /// <returns>Its standard output.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message holds what it said.</exception>
    public static string Run(string program, params IReadOnlyList<string> arguments)
    {
        var (code, output, error) = TryRun(program, arguments);
        return code == 0
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with code {code}: {error}{output}");
    }

    /// <summary>Runs one to its end, whatever that is.</summary>
    public static (int Code, string Output, string Error) TryRun(string program, params IReadOnlyList<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        if (!process.WaitForExit(_patience))
        {
            process.Kill();
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} runs for more than {_patience.TotalSeconds:0} s");
        }

        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}
