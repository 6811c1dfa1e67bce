namespace LoadHarness.Coordinator.Security;

/// <summary>Bounds that every listener of a coordinator has.</summary>
public static class CoordinatorLimits
{
    /// <summary>Largest message in either direction, in bytes; see agent_link.proto.</summary>
    public const int MaxMessageBytes = 4 * 1024 * 1024;
}
