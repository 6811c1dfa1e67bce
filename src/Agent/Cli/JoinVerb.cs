using System.Collections.Immutable;
using System.CommandLine;
using LoadHarness.Agent.Link;
using LoadHarness.Agent.Safety;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Agent.Cli;

/// <summary>`loadharness-agent join URL`: works for a coordinator until it is told to leave.</summary>
internal static class JoinVerb
{
    private const int LongestName = 128;

    private static readonly Argument<string> _coordinator = new("coordinator")
    {
        Description = "unix:/path/to/coordinator.sock, or http://127.0.0.1:PORT",
    };

    private static readonly Option<string> _id = new("--id")
    {
        Description = "Identity of this agent, stable over restarts; two agents on one host need two",
        DefaultValueFactory = _ => Environment.MachineName,
    };

    private static readonly Option<string[]> _labels = new("--label")
    {
        Description = "key=value by which runs select agents; may be given several times",
    };

    private static readonly Option<string?> _credential = new("--credential-file")
    {
        Description = "File (0600) with the credential that the coordinator wrote",
    };

    private static readonly Option<string[]> _allow = new("--allow")
    {
        Description = "CIDR[:PORTS] to connect to, as 10.0.0.0/24:443,8443-8450; may be given several times. Default: loopback only",
    };

    private static readonly Option<string> _logLevel = new("--log-level")
    {
        Description = "trace, debug, information, warning or error",
        DefaultValueFactory = _ => "warning",
    };

    /// <summary>The verb with its options.</summary>
    public static Command Create(int parent)
    {
        var exitWithParent = CommonOptions.ExitWithParent();
        var command = new Command("join", """
            Joins a coordinator and opens the connections that it assigns.
            SIGTERM closes them in an orderly way and leaves; a second one ends at once.

            Example: loadharness-agent join unix:/run/lh/coordinator.sock --credential-file /run/lh/credential --allow 10.0.0.0/24:443
            """)
        {
            _coordinator, _id, _labels, _credential, _allow, exitWithParent, _logLevel,
        };
        command.SetAction(parsed => Run(parsed, parsed.GetValue(exitWithParent), parent));
        return command;
    }

    private static int Run(ParseResult parsed, bool exitWithParent, int parent)
    {
        if (exitWithParent)
            ParentWatch.Start(parent);
        var errors = new List<string>();
        if (!CoordinatorAddress.TryParse(parsed.GetValue(_coordinator)!, out var coordinator, out var error))
            errors.Add(error);
        if (!AllowList.TryParse(parsed.GetValue(_allow) ?? [], out var allowList, out var allowErrors))
            errors.AddRange(allowErrors);
        var id = parsed.GetValue(_id)!;
        if (!IsName(id))
            errors.Add($"--id \"{id}\": 1 to {LongestName} characters without control characters are wanted");
        var labels = Labels(parsed.GetValue(_labels) ?? [], errors);
        if (LogLevelOf(parsed.GetValue(_logLevel)!) is not { } level)
            errors.Add($"--log-level {parsed.GetValue(_logLevel)}: trace, debug, information, warning or error is wanted");
        else if (errors.Count == 0)
        {
            var options = new LinkOptions
            {
                Coordinator = coordinator!,
                AgentId = id,
                Labels = labels,
                CredentialFile = parsed.GetValue(_credential),
            };
            return JoinHost.Run(options, allowList!, level, exitWithParent);
        }

        return AgentCommandLine.Fail(errors);
    }

    private static ImmutableSortedDictionary<string, string> Labels(string[] texts, List<string> errors)
    {
        var labels = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var split = text.IndexOf('=', StringComparison.Ordinal);
            if (split < 1 || !IsName(text[..split]) || text.Length - split > LongestName || text.Any(char.IsControl))
                errors.Add($"--label {text}: key=value is wanted, as in zone=a, each of at most {LongestName} characters");
            else if (!labels.TryAdd(text[..split], text[(split + 1)..]))
                errors.Add($"--label {text}: {text[..split]} is given twice");
        }

        return labels.ToImmutable();
    }

    private static bool IsName(string text) => text.Length is > 0 and <= LongestName && !text.Any(char.IsControl);

    private static LogLevel? LogLevelOf(string text) => text.ToLowerInvariant() switch
    {
        "trace" => LogLevel.Trace,
        "debug" => LogLevel.Debug,
        "info" or "information" => LogLevel.Information,
        "warn" or "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => null,
    };
}
