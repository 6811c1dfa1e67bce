namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>The files of one local coordinator.</summary>
/// <param name="Directory">Mode 0700.</param>
public sealed record RunPaths(string Directory)
{
    /// <summary>The socket on which the coordinator serves users and agents.</summary>
    public string Socket => Path.Combine(Directory, "coordinator.sock");

    /// <summary>The credential that both present, mode 0600.</summary>
    public string Credential => Path.Combine(Directory, "credential");

    /// <summary>What the coordinator keeps of its runs, mode 0600.</summary>
    public string Store => Path.Combine(Directory, "store.db");

    /// <summary>Locked by the coordinator's process for as long as it lives.</summary>
    public string Lock => Path.Combine(Directory, "owner.lock");

    /// <summary>What a child wrote.</summary>
    public string LogOf(string child) => Path.Combine(Directory, $"{child}.log");
}
