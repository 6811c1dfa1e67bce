using System.CommandLine;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;

namespace LoadHarness.Agent.Cli;

/// <summary>`loadharness-agent check`: how this host stands against a need, and what to do about it.</summary>
internal static class CheckVerb
{
    private static readonly Option<string?> _connections = new("--connections", "-c")
    {
        Description = "Connections at once on this host, as 500k or 2M. Default: what the host is good for by itself",
    };

    private static readonly Option<bool> _bothEnds = new("--both-ends")
    {
        Description = "The target is on this host too: sockets, files and memory count twice",
    };

    private static readonly Option<string?> _connectRate = new("--connect-rate", "--rate")
    {
        Description = "Connects per second at most, as 5000/s",
    };

    private static readonly Option<string?> _closeRate = new("--close-rate")
    {
        Description = "Connections that a run ends per second, as 2000/s; each rests 60 s in TIME-WAIT",
    };

    private static readonly Option<bool> _backend = new("--backend")
    {
        Description = "Connections are accepted here: accept queue and SYN backlog matter",
    };

    private static readonly Option<bool> _json = new("--json")
    {
        Description = "Write JSON to standard output and nothing else",
    };

    private static readonly Option<bool> _fix = new("--fix")
    {
        Description = "Write the sysctls that are wanted to a file, show it, and set them after asking",
    };

    private static readonly Option<bool> _yes = new("--yes")
    {
        Description = "Set them without asking",
    };

    private static readonly Option<string?> _output = new("--output")
    {
        Description = $"The file that --fix writes. Default: {CheckFix.DefaultFile}",
    };

    /// <summary>The verb with its options.</summary>
    public static Command Create()
    {
        var command = new Command("check", """
            Looks at this host's limits and says what each is, what a run needs, and the line that helps with its risk.
            Changes nothing without --fix. Exits with 0: well, or notes only; 3: warnings; 4: the need is not met;
            2: wrong usage; 1: the file could not be written.

            Example: loadharness-agent check --connections 1M --both-ends --connect-rate 20k/s
            """)
        {
            _connections, _bothEnds, _connectRate, _closeRate, _backend, _json, _fix, _yes, _output,
        };
        command.SetAction(Run);
        return command;
    }

    /// <summary>The command line that asks for the same.</summary>
    internal static string Line(HostNeed? need) => string.Join(' ', new[]
    {
        "loadharness-agent check",
        need is { Connections: > 0 } ? $"--connections {need.Connections}" : "",
        need is { BothEnds: true } ? "--both-ends" : "",
        need is { ConnectsPerSecond: > 0 } ? $"--connect-rate {need.ConnectsPerSecond:0}" : "",
        need is { ClosesPerSecond: > 0 } ? $"--close-rate {need.ClosesPerSecond:0}" : "",
        need is { Accepts: true } ? "--backend" : "",
    }.Where(p => p.Length > 0));

    private static int Run(ParseResult parsed)
    {
        var errors = new List<string>();
        var need = Need(parsed, errors);
        var (fix, yes, output) = (parsed.GetValue(_fix), parsed.GetValue(_yes), parsed.GetValue(_output));
        foreach (var option in new[] { yes ? "--yes" : "", output is not null ? "--output" : "" }.Where(o => o.Length > 0 && !fix))
            errors.Add($"{option}: that goes with --fix");
        if (output is { Length: 0 })
            errors.Add("--output: a file is wanted");
        if (fix && !yes && Console.IsInputRedirected)
            errors.Add($"--fix asks before it changes anything, and there is no terminal to ask; type: {Line(need)} --fix --yes");
        if (errors.Count > 0)
            return AgentCommandLine.Fail(errors);
        return new CheckCommand
        {
            Hostname = ProcFile.ReadText("/proc/sys/kernel/hostname") ?? Environment.MachineName,
            Out = Console.Out,
            Error = Console.Error,
            Confirm = yes ? () => true : Ask,
        }.Run(need, parsed.GetValue(_json), fix ? output ?? CheckFix.DefaultFile : null);
    }

    private static HostNeed? Need(ParseResult parsed, List<string> errors)
    {
        var (connections, connectRate, closeRate) = (0L, 0L, 0L);
        if (parsed.GetValue(_connections) is { } count && !Quantity.TryParseCount(count, out connections))
            errors.Add($"{_connections.Name} {count}: a count from 1 to 1,000,000,000 is wanted, as in 20000, 500k or 2M");
        if (parsed.GetValue(_connectRate) is { } connects && !Quantity.TryParseRate(connects, out connectRate))
            errors.Add($"{_connectRate.Name} {connects}: connects per second are wanted, as in 5000/s or 5k/s");
        if (parsed.GetValue(_closeRate) is { } closes && !Quantity.TryParseRate(closes, out closeRate))
            errors.Add($"{_closeRate.Name} {closes}: closes per second are wanted, as in 5000/s or 5k/s");
        var need = new HostNeed
        {
            Connections = connections,
            BothEnds = parsed.GetValue(_bothEnds),
            ConnectsPerSecond = connectRate,
            ClosesPerSecond = closeRate,
            Accepts = parsed.GetValue(_backend),
        };
        if (need.BothEnds && connections == 0)
            errors.Add($"{_bothEnds.Name}: give {_connections.Name} too, they are what counts twice");
        return need == new HostNeed() ? null : need;
    }

    private static bool Ask()
    {
        Console.Error.Write("Write this file and set these values now? [y/N] ");
        return Console.In.ReadLine()?.Trim().ToLowerInvariant() is "y" or "yes";
    }
}
