using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

/// <summary>The command line with streams that can be read and a runtime directory of its own.</summary>
internal sealed class CliHarness : IDisposable
{
    private readonly TemporaryDirectory _temporary = new();
    private readonly StringWriter _out = new();
    private readonly StringWriter _error = new();

    public CliHarness()
        : this(null)
    {
    }

    /// <param name="other">Another terminal of the same user.</param>
    public CliHarness(CliHarness? other) => Context = new CliContext
    {
        Out = _out,
        Error = _error,
        Terminal = TerminalStyle.Plain,
        RuntimeRoot = other?.Context.RuntimeRoot ?? new RuntimeRoot(_temporary.File("root")),
        StartCoordinator = (_, _) => throw new InvalidOperationException("this test starts no coordinator"),
        Interrupts = Interrupts,
    };

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
