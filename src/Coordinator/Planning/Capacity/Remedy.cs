namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>One thing that lifts a limit by itself.</summary>
/// <param name="Change">What to change.</param>
/// <param name="More">How many are missing.</param>
/// <param name="Total">How many there are then.</param>
/// <param name="Text">For people: a phrase without a full stop.</param>
public sealed record Remedy(RemedyKind Change, long More, long Total, string Text);

/// <summary>What can be changed, roughly in order of cost.</summary>
public enum RemedyKind
{
    /// <summary>More source ports: an option.</summary>
    SourcePorts,

    /// <summary>More target ports or addresses: configuration of the target.</summary>
    Destinations,

    /// <summary>More source addresses: addresses on the agents' hosts.</summary>
    Sources,

    /// <summary>More agents.</summary>
    Agents,

    /// <summary>A limit of a process: RLIMIT_NOFILE.</summary>
    ProcessLimit,

    /// <summary>A sysctl.</summary>
    Sysctl,

    /// <summary>An option of an agent's own user.</summary>
    AgentOption,

    /// <summary>More memory.</summary>
    Memory,

    /// <summary>A goal that fits.</summary>
    Goal,
}
