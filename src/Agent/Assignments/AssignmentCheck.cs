using System.Collections.Immutable;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Assignments;

/// <summary>What must hold before an assignment is taken on: nothing is started or connected before.</summary>
internal static class AssignmentCheck
{
    private const long MostDestinations = ushort.MaxValue + 1;

    /// <summary>Checks an assignment.</summary>
    /// <param name="assignment">The new one.</param>
    /// <param name="present">The one in force; null when the agent is idle.</param>
    /// <param name="policy">What this agent's user lets it do.</param>
    /// <param name="provide">Adds the sources that are to be added, once nothing else speaks against the assignment.</param>
    /// <returns>Null, or the refusal.</returns>
    public static AssignmentRefusal? Check(
        Assignment assignment, Assignment? present, AgentPolicy policy, Func<Assignment, AssignmentRefusal?> provide) =>
        CheckRun(assignment, present)
        ?? CheckCapabilities(assignment)
        ?? CheckRole(assignment, policy.Role)
        ?? (assignment.Backend is { } backend ? CheckListening(backend, policy.ListenPorts) : CheckClient(assignment, present, policy, provide))
        ?? CheckStart(assignment);

    private static AssignmentRefusal? CheckClient(
        Assignment assignment, Assignment? present, AgentPolicy policy, Func<Assignment, AssignmentRefusal?> provide) =>
        CheckDestinations(assignment, policy.AllowList)
        ?? CheckLimits(assignment, policy)
        ?? CheckChange(assignment, present)
        ?? provide(assignment)
        ?? SourceProbe.Probe(assignment.Slice, present?.Slice);

    private static AssignmentRefusal? CheckRun(Assignment assignment, Assignment? present) =>
        present is null || present.RunId == assignment.RunId
            ? null
            : new("run_id", "busy", $"this agent works for run {present.RunId}; wait for its end or stop it (loadharness runs stop {present.RunId})");

    private static AssignmentRefusal? CheckCapabilities(Assignment assignment)
    {
        var missing = assignment.RequiredCapabilities.Except(Capabilities.All).ToList();
        return missing.Count == 0
            ? null
            : new("required_capabilities", "capability",
                $"this agent lacks {string.Join(", ", missing)} (it has {string.Join(", ", Capabilities.All)}); install the coordinator's version of loadharness-agent");
    }

    private static AssignmentRefusal? CheckRole(Assignment assignment, AgentRole role)
    {
        if (role == AgentRole.Backend)
        {
            return assignment.Backend is not null ? null : new("workload", "role",
                "this agent joined as a backend and opens no connections; use one that joined with --role client");
        }

        return assignment.Backend is null ? null : new("backend", "role",
            "this agent joined as a client and accepts no connections; use one that joined with --role backend");
    }

    private static AssignmentRefusal? CheckListening(BackendWork backend, ImmutableArray<PortSpan> allowed)
    {
        foreach (var ports in backend.Ports)
        {
            for (var port = ports.First; port <= ports.Last; port++)
            {
                if (!allowed.Any(a => a.Contains(port)))
                {
                    return new("backend.ports", "allow-list",
                        $"this agent may not listen on port {port} (it may on {string.Join(',', allowed)}); "
                        + $"to allow it start the agent with --allow-listen {string.Join(',', backend.Ports)}");
                }
            }
        }

        return null;
    }

    private static AssignmentRefusal? CheckDestinations(Assignment assignment, AllowList allowList)
    {
        foreach (var (i, destination) in assignment.Destinations.Index())
        {
            if (!allowList.Allows(destination, out var rule))
                return new($"destinations[{i}]", "allow-list", destination.LookUp ? $"{destination.Name}: {rule}" : rule);
        }

        if (NameCheck.Check(assignment, allowList) is { } refusal)
            return refusal;

        var count = assignment.Destinations.Sum(d => d.Count);
        return count is > 0 and <= MostDestinations
            ? null
            : new("destinations", "count", $"{count:N0} destinations; allowed are 1 to {MostDestinations:N0} address and port pairs");
    }

    private static AssignmentRefusal? CheckLimits(Assignment assignment, AgentPolicy policy)
    {
        var (most, rate) = (policy.MaxConnections, policy.MaxConnectsPerSecond);
        if (most > 0 && assignment.Share > most)
            return TooMany("share", assignment.Share, most);
        foreach (var (i, point) in assignment.Schedule.Points.Index())
        {
            if (most > 0 && point.Goal > most)
                return TooMany($"schedule.points[{i}].goal", point.Goal, most);
        }

        return rate > 0 && assignment.Schedule.ConnectsPerSecond > rate
            ? new("schedule.connects_per_second", "max-connect-rate",
                $"{assignment.Schedule.ConnectsPerSecond:#,0.##} connects per second are more than this agent may make, {rate:#,0.##}; "
                + $"to allow them start it with --max-connect-rate {Math.Ceiling(assignment.Schedule.ConnectsPerSecond):0}/s")
            : null;
    }

    private static AssignmentRefusal TooMany(string field, long connections, long most) => new(field, "max-connections",
        $"{connections:N0} connections are more than this agent may hold, {most:N0}; "
        + $"to allow them start it with --max-connections {connections}");

    // Live connections go there, and their tuples rest as long as was said when they were dealt out.
    private static AssignmentRefusal? CheckChange(Assignment assignment, Assignment? present)
    {
        if (present is null)
            return null;
        if (!assignment.Destinations.SequenceEqual(present.Destinations))
            return new("destinations", "change", "the destinations of a run cannot change while it lasts; start another run");
        if (assignment.WorkloadDigest != present.WorkloadDigest)
            return new("workload", "change", "what a run's connections do cannot change while it lasts; start another run");
        return assignment.Slice.Rest == present.Slice.Rest
            ? null
            : new("slice.rest", "change", $"tuples of this run rest {present.Slice.Rest.TotalSeconds:0} s; that cannot change while it lasts");
    }

    private static AssignmentRefusal? CheckStart(Assignment assignment) =>
        assignment.Phase != Phase.Running || assignment.StartNanos is not null
            ? null
            : new("start_nanos", "required", "a RUNNING assignment names its start instant");
}
