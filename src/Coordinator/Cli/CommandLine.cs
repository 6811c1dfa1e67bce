using System.CommandLine;
using System.CommandLine.Parsing;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Store;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The whole command line: which verbs there are, how they are parsed, and what a failure prints.</summary>
public sealed class CommandLine
{
    /// <summary>The program's name in messages.</summary>
    public const string Program = "loadharness";

    private readonly CliContext _context;
    private readonly RootCommand _root;
    private readonly Dictionary<Command, Verb> _verbs = [];

    /// <summary>Builds it.</summary>
    public CommandLine(CliContext context)
    {
        _context = context;
        _root = new RootCommand("Holds very many TCP connections against a service and reports what the kernel says about them");
        _root.Directives.Clear();
        Add(_root, new DemoVerb());
        Add(_root, new PlanVerb());
        Add(_root, new CheckVerb());
        Add(_root, new RunVerb());
        var runs = Group("runs", "Looks at and steers runs, of a fleet or on this machine");
        Add(runs, new RunsListVerb());
        Add(runs, new RunsShowVerb());
        Add(runs, new RunsWatchVerb());
        Add(runs, new RunsReportVerb());
        Add(runs, new RunsSocketsVerb());
        Add(runs, new RunsScaleVerb());
        Add(runs, new RunsReconnectVerb());
        Add(runs, new RunsStopVerb());
        var agents = Group("agents", "Looks at agents, and forgets them");
        Add(agents, new AgentsListVerb());
        Add(agents, new AgentsForgetVerb());
        Add(_root, new ServeVerb());
        var certs = Group("certs", "Makes and lists the certificates of a coordinator and its agents");
        Add(certs, new CertsInitVerb());
        var issue = Group("issue", "Issues a certificate", certs);
        Add(issue, new CertsIssueServerVerb());
        Add(issue, new CertsIssueAgentVerb());
        Add(certs, new CertsListVerb());
        var tokens = Group("tokens", "Makes, lists and revokes the tokens of users and of agents that join");
        Add(tokens, new TokensCreateVerb());
        Add(tokens, new TokensListVerb());
        Add(tokens, new TokensRevokeVerb());
        HelpLayout.Apply(_root, _verbs);
    }

    /// <summary>Parses and executes; never throws for what a user or a machine does wrong.</summary>
    /// <param name="arguments">Without the program's name.</param>
    public async Task<ExitCode> RunAsync(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0)
        {
            _context.Out.WriteLine(HelpLayout.Overview);
            return ExitCode.Passed;
        }

        var parsed = _root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is { ClearsParseErrors: true })
            return await InvokeAsync(parsed);
        _verbs.TryGetValue(parsed.CommandResult.Command, out var verb);
        var errors = ParseErrors.Of(parsed, verb);
        if (errors.Count > 0 || verb is null)
            return Report(parsed, errors);
        return await ExecuteAsync(verb, parsed);
    }

    private async Task<ExitCode> ExecuteAsync(Verb verb, ParseResult parsed)
    {
        try
        {
            return await verb.ExecuteAsync(parsed, _context);
        }
        catch (OperationCanceledException) when (_context.Interrupts.First.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (Exception e)
        {
            var (code, messages) = Explain(e);
            foreach (var message in messages)
                _context.Error.WriteLine($"{Program}: {message}");
            return _context.Interrupts.First.IsCancellationRequested ? ExitCodes.First(ExitCode.Interrupted, code) : code;
        }
    }

    private static (ExitCode Code, IEnumerable<string> Messages) Explain(Exception exception) => exception switch
    {
        CliException e => (e.ExitCode, e.Messages),
        CredentialException e => (ExitCode.Invalid, [e.Message]),
        StoreException e => (ExitCode.Invalid, [e.Message]),
        LocalFleetException e => (ExitCode.Internal, [e.Message]),
        var e => (ExitCode.Internal, [$"internal error: {e.GetType().Name}: {e.Message}. This is a defect; please report it."]),
    };

    private async Task<ExitCode> InvokeAsync(ParseResult parsed)
    {
        var configuration = new InvocationConfiguration { Output = _context.Out, Error = _context.Error };
        return await parsed.InvokeAsync(configuration) == 0 ? ExitCode.Passed : ExitCode.Invalid;
    }

    private ExitCode Report(ParseResult parsed, IReadOnlyList<string> errors)
    {
        foreach (var error in errors)
            _context.Error.WriteLine($"{Program}: {error}");
        _context.Error.WriteLine($"See '{PathOf(parsed.CommandResult)} --help'.");
        return ExitCode.Invalid;
    }

    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : Program;

    private Command Group(string name, string description, Command? parent = null)
    {
        var command = new Command(name, description);
        (parent ?? _root).Add(command);
        return command;
    }

    private void Add(Command parent, Verb verb)
    {
        verb.Variable = _context.Variable;
        var command = new Command(verb.Name, verb.Description);
        foreach (var symbol in verb.Symbols)
        {
            if (symbol is Argument argument)
                command.Add(argument);
            else
                command.Add((Option)symbol);
        }

        // Parsing picks the verb; executing it is ours.
        command.SetAction(_ => 0);
        parent.Add(command);
        _verbs[command] = verb;
    }
}
