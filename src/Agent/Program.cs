using LoadHarness.Agent.Cli;
using LoadHarness.Agent.Interop.Libc;

// Read first: it must be the parent that started us.
var parent = ParentProcess.Id;
return AgentCommandLine.Run(args, parent);
