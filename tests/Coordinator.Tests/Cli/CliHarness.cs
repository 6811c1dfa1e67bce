using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

/// <summary>The command line with streams that can be read and a runtime directory of its own.</summary>
internal sealed class CliHarness : IDisposable
{
    private readonly TemporaryDirectory _temporary = new();
    private readonly SharedWriter _out = new();
    private readonly SharedWriter _error = new();

    public CliHarness(StartCoordinator? start = null, TimeSpan? patience = null)
        : this(null, start, patience)
    {
    }

    /// <summary>Another terminal of the same user.</summary>
    public CliHarness(CliHarness other)
        : this(other.Context.RuntimeRoot, null, null)
    {
    }

    private CliHarness(RuntimeRoot? root, StartCoordinator? start, TimeSpan? patience) => Context = new CliContext
    {
        Out = _out,
        Error = _error,
        Terminal = TerminalStyle.Plain,
        RuntimeRoot = root ?? new RuntimeRoot(_temporary.File("root")),
        StartCoordinator = start ?? ((_, _) => throw new InvalidOperationException("this test starts no coordinator")),
        StartService = ServiceCoordinator.StartAsync,
        Interrupts = Interrupts,
        Variable = name => Variables.GetValueOrDefault(name),
        Patience = patience ?? TimeSpan.FromMinutes(2),
    };

    /// <summary>The environment.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    public CliContext Context { get; }

    public Interrupts Interrupts { get; } = new();

    public string Out => _out.ToString();

    public string Error => _error.ToString();

    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public Task<ExitCode> RunAsync(string line) =>
        new CommandLine(Context).RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    public void Dispose()
    {
        Interrupts.Dispose();
        _temporary.Dispose();
    }
}
