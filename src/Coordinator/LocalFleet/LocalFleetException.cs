namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>Something on this machine keeps a local run from starting. The message is for people: what, where, and what to do.</summary>
public sealed class LocalFleetException(string message, Exception? inner = null) : Exception(message, inner);
