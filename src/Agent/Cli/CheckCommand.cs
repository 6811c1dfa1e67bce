using System.Collections.Immutable;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;
using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Cli;

/// <summary>Checks, shows, and puts right when told to.</summary>
internal sealed class CheckCommand
{
    /// <summary>For people.</summary>
    public required string Hostname { get; init; }

    /// <summary>Takes the result.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Takes everything else.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Asks whether what was shown is to be done.</summary>
    public required Func<bool> Confirm { get; init; }

    /// <summary>Looks at the host.</summary>
    public Func<HostFacts> Read { get; init; } = HostFacts.Read;

    /// <summary>Sets a sysctl; null, or why it is not as wanted.</summary>
    public Func<string, string, string?> Set { get; init; } = SysctlWriter.Set;

    /// <summary>Does it.</summary>
    /// <param name="need">What the host is held against; null: nothing in particular.</param>
    /// <param name="json">JSON instead of text.</param>
    /// <param name="file">The file to write, to put right what can be; null: only look.</param>
    /// <returns>The exit code.</returns>
    public int Run(HostNeed? need, bool json, string? file)
    {
        var host = Read();
        var checks = HostChecks.Of(host, need);
        if (file is not null)
        {
            var fix = new CheckFix(Error, Confirm, Set);
            if (!fix.Apply(file, host, checks))
                return ExitCode.Internal;
            checks = HostChecks.Of(Read(), need);
        }

        Show(need, checks, json);
        if (file is null && !json)
            Offer(need, checks);
        return checks.Max(c => c.Verdict) switch
        {
            Verdict.Error => ExitCode.Unmet,
            Verdict.Warning => ExitCode.Warned,
            _ => ExitCode.Passed,
        };
    }

    private void Show(HostNeed? need, ImmutableArray<HostCheck> checks, bool json)
    {
        if (json)
        {
            Out.WriteLine(CheckJson.Of(Hostname, need, checks));
            return;
        }

        foreach (var line in CheckText.Lines(Hostname, need, checks))
            Out.WriteLine(line);
    }

    private void Offer(HostNeed? need, ImmutableArray<HostCheck> checks)
    {
        var settable = checks.Sum(c => c.Sysctls.Count);
        if (settable > 0)
            Out.WriteLine($"To set {Amount.Of(settable, "sysctl")} of these: {CheckVerb.Line(need)} --fix");
    }
}
