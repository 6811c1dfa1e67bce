namespace LoadHarness.Coordinator.Store;

/// <summary>The store cannot be used, or cannot take something; the message says why and what to do.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner);
