namespace LoadHarness.Coordinator.Security;

/// <summary>A credential file cannot be used; the message says why and what to do, for people.</summary>
public sealed class CredentialException(string message, Exception? inner = null) : Exception(message, inner);
