using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Preflight;

/// <summary>What a coordinator asks about this host before it plans.</summary>
/// <param name="Id">Repeated in the answer.</param>
/// <param name="Names">To resolve.</param>
/// <param name="Addresses">To look the route to up, beside those of the names.</param>
public sealed record RouteQuery(ulong Id, ImmutableArray<string> Names, ImmutableArray<IpAddress> Addresses)
{
    /// <summary>Answers it; blocks for up to the lookup's bound.</summary>
    public RouteAnswer Answer(NameLookup lookup)
    {
        var names = lookup.Resolve(Names);
        var destinations = Addresses.Concat(names.SelectMany(n => n.Addresses)).Distinct();
        return new(Id, [.. names], [.. destinations.Select(d => new Route(d, RouteLookup.SourceOf(d)))]);
    }
}

/// <summary>The answer to a <see cref="RouteQuery"/>.</summary>
/// <param name="Id">Of the query.</param>
/// <param name="Names">One for each name.</param>
/// <param name="Routes">One for each address asked for or resolved.</param>
public sealed record RouteAnswer(ulong Id, ImmutableArray<ResolvedName> Names, ImmutableArray<Route> Routes);

/// <summary>Where the kernel would connect from.</summary>
/// <param name="Destination">Where to.</param>
/// <param name="Source">Null: there is no route.</param>
public readonly record struct Route(IpAddress Destination, IpAddress? Source);
