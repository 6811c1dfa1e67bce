namespace LoadHarness.Agent.Link;

/// <summary>The coordinator will not have this agent, and trying again would not help. The message is for people.</summary>
public sealed class LinkRefusedException(string message) : Exception(message);
