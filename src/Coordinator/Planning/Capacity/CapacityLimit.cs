using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>One thing that bounds the connections of a run.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Holds">Connections that it allows.</param>
/// <param name="Goal">Connections that are wanted.</param>
/// <param name="Arithmetic">For people: where <paramref name="Holds"/> comes from.</param>
/// <param name="Remedies">What lifts it, cheapest first: to the goal, or by one connection when the goal fits.</param>
public sealed record CapacityLimit(
    CapacityLimitKind Kind, long Holds, long Goal, string Arithmetic, ImmutableArray<Remedy> Remedies)
{
    /// <summary>False: an estimate, worth a warning; a run is not refused for it.</summary>
    public bool Binds { get; init; } = true;

    /// <summary>Whether the goal is more than it allows.</summary>
    public bool IsExceeded => Goal > Holds;

    /// <summary>The limit in one word.</summary>
    public string Name => Kind switch
    {
        CapacityLimitKind.Tuples => "tuples",
        CapacityLimitKind.Descriptors => "descriptors",
        CapacityLimitKind.AgentLimits => "the agents' own limits",
        CapacityLimitKind.Hosts => "single hosts",
        CapacityLimitKind.Memory => "memory",
        _ => "fs.file-max",
    };

    /// <summary>What to do, cheapest first.</summary>
    public string Advice => string.Join("; or ", Remedies.Select(r => r.Text));

    /// <summary>Why a goal is refused, and what to do.</summary>
    public string Refusal =>
        $"The goal of {Goal:N0} connections is more than {Name} allow{(Kind is CapacityLimitKind.Memory or CapacityLimitKind.FileMax ? "s" : "")}: "
        + $"{Arithmetic}; {Goal - Holds:N0} are missing. Cheapest first: {Advice}.";
}

/// <summary>What can bound the connections of a run.</summary>
public enum CapacityLimitKind
{
    /// <summary>Sources x source ports x destinations.</summary>
    Tuples,

    /// <summary>RLIMIT_NOFILE times the reactors that an agent may have.</summary>
    Descriptors,

    /// <summary>--max-connections of the agents' own users.</summary>
    AgentLimits,

    /// <summary>Each host has too little of one thing, although all together have enough of everything.</summary>
    Hosts,

    /// <summary>What the connections cost the agents' hosts.</summary>
    Memory,

    /// <summary>Open files of all processes of a host.</summary>
    FileMax,
}
