using System.Collections.Immutable;
using static LoadHarness.Coordinator.Planning.Capacity.CapacityLimits;

namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>How many connections the endpoint space holds, and how it grows.</summary>
internal static class TupleLimit
{
    private const int MostPorts = 65_535;

    /// <summary>The limit.</summary>
    /// <param name="goal">Connections that are wanted.</param>
    /// <param name="rows">The endpoint spaces; at least one.</param>
    public static CapacityLimit Of(long goal, ImmutableArray<EndpointRow> rows)
    {
        var holds = rows.Sum(r => r.Free);
        return new(CapacityLimitKind.Tuples, holds, goal, Arithmetic(rows, holds), [.. Remedies(Math.Max(goal, holds + 1), holds, rows)]);
    }

    private static string Arithmetic(ImmutableArray<EndpointRow> rows, long holds)
    {
        var held = rows.Sum(r => r.Tuples) - holds;
        return $"{Product(rows)} = {rows.Sum(r => r.Tuples):N0}"
            + (held <= 0 ? "" : $", of which {NamespaceSpace.Runs(rows.SelectMany(r => r.HeldBy))} holds {held:N0} until it ends");
    }

    /// <summary>What is multiplied; where hosts or families differ, what is added up.</summary>
    public static string Product(ImmutableArray<EndpointRow> rows)
    {
        var sources = rows.Sum(r => r.Sources);
        var destinations = rows.Max(r => r.Destinations.V4 + r.Destinations.V6);
        var addresses = Number(sources, "source");
        var even = rows.All(r => r.Ports == rows[0].Ports && r.Destinations == rows[0].Destinations
            && (r.Destinations.V4 == 0 || r.Destinations.V6 == 0));
        return even
            ? $"{addresses} x {Number(rows[0].Ports, "source port")} x {Number(destinations, "destination")}"
            : $"{addresses} on {Number(rows.Length, "host")} with their free ports, to {Number(destinations, "destination")} of their families";
    }

    private static IEnumerable<Remedy> Remedies(long wanted, long holds, ImmutableArray<EndpointRow> rows)
    {
        if (Default(wanted, rows) is { } byDefault)
            yield return byDefault;
        if (Destinations(wanted, rows) is { } destinations)
            yield return destinations;
        if (Sources(wanted - holds, rows) is { } sources)
            yield return sources;
        if (rows.Min(r => r.Tuples) is var least and > 0)
        {
            var hosts = CeilingOf(wanted - holds, least);
            yield return new(RemedyKind.Agents, hosts, rows.Length + hosts,
                $"agents on {Number(hosts, "more host")} ({rows.Length + hosts:N0} in all, {Number(rows.Min(r => r.Sources), "source")} each)");
        }

        yield return new(RemedyKind.Goal, 0, holds, $"a goal of {holds:N0}");
    }

    private static Remedy? Default(long wanted, ImmutableArray<EndpointRow> rows)
    {
        var (least, most) = (rows.Min(r => r.PortsByDefault), rows.Max(r => r.Ports));
        return least > most && rows.Sum(r => r.TuplesWith(r.PortsByDefault, 0) - r.Tuples + r.Free) >= wanted
            ? new(RemedyKind.SourcePorts, least - most, least, $"leave --source-ports out ({least:N0} ports instead of {most:N0})")
            : null;
    }

    // A port that the target takes on its own host is a source port less there.
    private static Remedy? Destinations(long wanted, ImmutableArray<EndpointRow> rows)
    {
        for (var more = Math.Max(1, FirstGuess(wanted, rows)); more < MostPorts; more++)
        {
            var grown = rows.Sum(r => r.TuplesWith(Math.Max(0, r.Ports - (r.TargetIsLocal ? more : 0)), more) - r.Tuples + r.Free);
            if (grown < wanted)
                continue;
            var total = rows.Max(r => r.Destinations.V4 + r.Destinations.V6) + more;
            return new(RemedyKind.Destinations, more, total, $"{Number(more, "more target port")} ({total:N0} in all)");
        }

        return null;
    }

    private static long FirstGuess(long wanted, ImmutableArray<EndpointRow> rows) =>
        (wanted - rows.Sum(r => r.Free)) / Math.Max(1, rows.Sum(r => r.TuplesWith(r.Ports, 1) - r.Tuples));

    private static Remedy? Sources(long missing, ImmutableArray<EndpointRow> rows)
    {
        var each = rows.Min(r => r.PerSource);
        if (each <= 0)
            return null;
        var more = CeilingOf(missing, each);
        var total = rows.Sum(r => r.Sources) + more;
        return new(RemedyKind.Sources, more, total,
            $"{Number(more, "more source")} ({total:N0} in all, --sources)");
    }
}
