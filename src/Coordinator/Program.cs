using LoadHarness.Coordinator;
using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.LocalFleet;

using var interrupts = new Interrupts();
interrupts.Listen();
var context = new CliContext
{
    Out = new LastingWriter(Console.Out),
    Error = new LastingWriter(Console.Error),
    Terminal = TerminalStyle.Detect(),
    RuntimeRoot = RuntimeRoot.Default,
    StartCoordinator = InProcessCoordinator.StartAsync,
    StartService = ServiceCoordinator.StartAsync,
    Interrupts = interrupts,
};
return (int)await new CommandLine(context).RunAsync(args);
