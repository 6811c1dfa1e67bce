using System.Collections.Immutable;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>A process to start.</summary>
/// <param name="Name">For people, the log file's name, and the identity with which it joins.</param>
/// <param name="Program">What to execute.</param>
/// <param name="Arguments">Never a secret: everybody on the host can read them.</param>
/// <param name="LogPath">Takes what it writes to standard output and standard error.</param>
public sealed record ChildSpec(string Name, AgentProgram Program, ImmutableArray<string> Arguments, string LogPath);
