using System.Collections.Immutable;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;

namespace LoadHarness.Agent.Cli;

/// <summary>`check --fix`: a file of sysctl.d, shown and asked about before anything is done.</summary>
/// <param name="log">Takes what is done.</param>
/// <param name="confirm">Asks.</param>
/// <param name="set">Sets a sysctl; null, or why it is not as wanted.</param>
internal sealed class CheckFix(TextWriter log, Func<bool> confirm, Func<string, string, string?> set)
{
    /// <summary>Read at boot, and by `sysctl --system`.</summary>
    public const string DefaultFile = "/etc/sysctl.d/90-loadharness.conf";

    /// <summary>Writes the file, then sets what it says. When the file cannot be written nothing is set.</summary>
    /// <returns>False when the file could not be written.</returns>
    public bool Apply(string file, HostFacts host, ImmutableArray<HostCheck> checks)
    {
        var before = ProcFile.ReadText(file);
        var changes = SysctlFile.Changes(host, checks, before);
        if (changes.IsEmpty)
        {
            log.WriteLine("No sysctl is to be set.");
            return true;
        }

        var text = SysctlFile.Text(changes, before);
        log.WriteLine($"{file} would say:\n\n{text}");
        if (!confirm())
        {
            log.WriteLine("Nothing was changed.");
            return true;
        }

        if (SysctlWriter.WriteFile(file, text) is { } problem)
        {
            log.WriteLine($"loadharness-agent: {file} cannot be written, and nothing was set: {problem}"
                + (Environment.IsPrivilegedProcess ? "; name another with --output" : "; use sudo, or name another with --output"));
            return false;
        }

        log.WriteLine($"{file} is written{(before is null ? "" : $"; what it said before is in {file}.before")}.");
        SetAll(changes);
        return true;
    }

    private void SetAll(ImmutableArray<SysctlChange> changes)
    {
        var done = new List<SysctlChange>();
        foreach (var change in changes)
        {
            if (set(change.Name, change.After) is { } problem)
                log.WriteLine($"  not set: {change.Name}: {problem}");
            else
                done.Add(change);
        }

        foreach (var change in done)
            log.WriteLine($"  set: {change.Name} = {change.After}");
        if (done.Count == 0)
            return;
        log.WriteLine("To undo: delete the file, and");
        foreach (var change in done.Where(c => c.Before.Length > 0))
            log.WriteLine($"  sysctl -w {change.Name}=\"{SysctlFile.Line(change.Before)}\"");
        log.WriteLine();
    }
}
