using System.CommandLine;
using LoadHarness.Agent.Backend;

namespace LoadHarness.Agent.Cli;

/// <summary>`loadharness-agent backend`: what a load balancer under test forwards to.</summary>
internal static class BackendVerb
{
    private const int MostReactors = 1024;

    private static readonly Option<string[]> _listen = new("--listen")
    {
        Description = "ADDRESS:PORTS, as 127.0.0.1:9000-9009 or [::1]:80,443; may be given several times",
        Required = true,
    };

    private static readonly Option<bool> _http = new("--http")
    {
        Description = "Answer HTTP/1.1 requests with a small 200; connections are kept alive",
    };

    private static readonly Option<bool> _echo = new("--echo")
    {
        Description = "Send back what comes; with --http, on connections whose first byte is no capital letter",
    };

    private static readonly Option<bool> _greet = new("--greet")
    {
        Description = "Send one byte after accept: clients told to expect it count the connection as confirmed. Not with --http or --echo",
    };

    private static readonly Option<int> _reactors = new("--reactors")
    {
        Description = "Threads to accept with; more are started when they are full. Default: one for each processor",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<bool> _json = new("--json")
    {
        Description = "Write the final counts to standard output as JSON",
    };

    /// <summary>The verb with its options.</summary>
    public static Command Create(int parent)
    {
        var exitWithParent = CommonOptions.ExitWithParent();
        var command = new Command("backend", """
            Accepts and holds any number of connections, until SIGTERM or Ctrl-C. Prints its counts to standard error.

            Example: loadharness-agent backend --listen 127.0.0.1:9000-9009 --http
            """)
        {
            _listen, _http, _echo, _greet, _reactors, _json, exitWithParent,
        };
        command.SetAction(parsed => Run(parsed, parsed.GetValue(exitWithParent), parent));
        return command;
    }

    private static int Run(ParseResult parsed, bool exitWithParent, int parent)
    {
        if (exitWithParent)
            ParentWatch.Start(parent);
        var errors = new List<string>();
        var listen = ListenText.Parse(parsed.GetValue(_listen) ?? [], errors);
        var reactors = parsed.GetValue(_reactors);
        if (reactors is < 1 or > MostReactors)
            errors.Add($"--reactors {reactors}: a number from 1 to {MostReactors} is wanted");
        var (http, echo, greet) = (parsed.GetValue(_http), parsed.GetValue(_echo), parsed.GetValue(_greet));
        if (greet && (http || echo))
        {
            errors.Add($"--greet cannot stand together with {(http ? "--http" : "--echo")}: its byte would be taken for the beginning of an answer; "
                + "leave one of them out");
        }

        errors.AddRange(ListenProbe.Probe(listen).Select(p => $"--listen {p.Message}"));
        if (errors.Count > 0)
            return AgentCommandLine.Fail(errors);
        var options = new BackendOptions
        {
            Listen = listen,
            Http = http,
            Echo = echo,
            Greet = greet,
            Reactors = reactors,
        };
        return BackendHost.Run(options, parsed.GetValue(_json), exitWithParent);
    }
}
