namespace LoadHarness.Agent.Link;

/// <summary>
/// The coordinator cannot be reached now, or the connection to it broke; trying again may help. The message is for people.
/// </summary>
public sealed class LinkLostException(string message, Exception? inner = null) : Exception(message, inner);
