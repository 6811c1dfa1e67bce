namespace LoadHarness.Agent.Identity;

/// <summary>What this agent is to prove its identity with cannot be used. The message is for people.</summary>
public sealed class IdentityException(string message) : Exception(message);
