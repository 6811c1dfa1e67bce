namespace LoadHarness.Coordinator.Security;

/// <summary>An agent identity is not the caller's to use; the message says whose it is and what to do, for people.</summary>
public sealed class EnrolmentException(string message) : Exception(message);
