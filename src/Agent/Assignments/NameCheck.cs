using System.Collections.Immutable;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using static LoadHarness.V1.Finding.Types;

namespace LoadHarness.Agent.Assignments;

/// <summary>
/// Holds what names mean now against the addresses that an assignment carries for them. Connections go to the assigned ones
/// only; but a name that has come to mean a forbidden address is not what this agent's user allowed.
/// </summary>
internal static class NameCheck
{
    /// <summary>The names to ask for, each once.</summary>
    public static ImmutableArray<string> NamesOf(Assignment assignment) =>
        [.. assignment.Destinations.Where(d => d.LookUp && d.Name.Length > 0).Select(d => d.Name).Distinct()];

    /// <summary>Refuses an assignment one of whose names means an address that may not be connected to.</summary>
    public static AssignmentRefusal? Check(Assignment assignment, AllowList allowList)
    {
        foreach (var (i, destination) in assignment.Destinations.Index())
        {
            foreach (var address in AnswerFor(assignment, destination)?.Addresses ?? [])
            {
                if (!allowList.Allows(destination with { Addresses = new(address, 1) }, out var rule))
                    return new($"destinations[{i}]", "allow-list", $"{destination.Name} means {address} on this host by now: {rule}");
            }
        }

        return null;
    }

    /// <summary>Says which names mean something else than what was planned with, or nothing any more.</summary>
    public static IEnumerable<AgentFinding> Findings(Assignment assignment)
    {
        foreach (var answer in assignment.Names)
        {
            var planned = assignment.Destinations.Where(d => d.LookUp && d.Name == answer.Name).Select(d => d.Addresses).ToList();
            if (answer.Addresses.IsEmpty)
            {
                yield return new(Severity.Warning, answer.Name,
                    $"{answer.Name} cannot be resolved any more ({answer.Error}); "
                    + $"the run goes on with {string.Join(", ", planned.Distinct())}");
            }
            else if (!IsSame(planned, answer.Addresses))
            {
                yield return new(Severity.Warning, answer.Name,
                    $"{answer.Name} means {string.Join(", ", answer.Addresses)} by now; the run goes on with what it was planned with, "
                    + $"{string.Join(", ", planned.Distinct())}: start another run to follow the name");
            }
        }
    }

    private static ResolvedName? AnswerFor(Assignment assignment, Destination destination) =>
        destination.LookUp ? assignment.Names.FirstOrDefault(n => n.Name == destination.Name) : null;

    private static bool IsSame(List<IpRange> planned, ImmutableArray<IpAddress> now) =>
        now.All(a => planned.Any(p => p.Contains(a))) && planned.Distinct().Sum(p => p.Count) == now.Length;
}
