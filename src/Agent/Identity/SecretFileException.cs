namespace LoadHarness.Agent.Identity;

/// <summary>A file with a secret cannot be used. The message is for people.</summary>
public sealed class SecretFileException(string message) : Exception(message)
{
    /// <summary>There is no such file.</summary>
    public bool IsMissing { get; init; }
}
