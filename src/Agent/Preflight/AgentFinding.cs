using LoadHarness.V1;

namespace LoadHarness.Agent.Preflight;

/// <summary>Something that the user should know about this host or about an assignment.</summary>
/// <param name="Severity">How bad it is.</param>
/// <param name="Subject">What was looked at: a sysctl, a limit, a field.</param>
/// <param name="Message">What it is, what is needed, and what to do about it.</param>
public sealed record AgentFinding(Finding.Types.Severity Severity, string Subject, string Message);
