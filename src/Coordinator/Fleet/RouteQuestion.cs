using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>What an agent is asked about its host; see agent_link.proto.</summary>
/// <param name="Names">To resolve; at most <see cref="Most"/>.</param>
/// <param name="Addresses">To look the route to up, beside those of the names; at most <see cref="Most"/>.</param>
public sealed record RouteQuestion(ImmutableArray<string> Names, ImmutableArray<IpAddress> Addresses)
{
    /// <summary>Names, and addresses, in one question.</summary>
    public const int Most = 1000;
}

/// <summary>What an agent says of its host.</summary>
/// <param name="Names">What each name means there.</param>
/// <param name="Sources">Where the kernel would connect from to each address; null where there is no route.</param>
public sealed record RouteReply(
    ImmutableDictionary<string, NameMeaning> Names, ImmutableDictionary<IpAddress, IpAddress?> Sources)
{
    /// <summary>Nothing was asked.</summary>
    public static RouteReply Empty { get; } = new(
        ImmutableDictionary.Create<string, NameMeaning>(StringComparer.OrdinalIgnoreCase), ImmutableDictionary<IpAddress, IpAddress?>.Empty);

    /// <summary>Two answers of one agent; what the later one says counts.</summary>
    public RouteReply With(RouteReply later) => new(Names.SetItems(later.Names), Sources.SetItems(later.Sources));
}

/// <summary>What a name means on one host.</summary>
/// <param name="Addresses">Empty: nothing.</param>
/// <param name="Error">Why it means nothing; otherwise empty.</param>
public sealed record NameMeaning(ImmutableArray<IpAddress> Addresses, string Error);

/// <summary>A question on its way to an agent.</summary>
/// <param name="Id">Its answer repeats it.</param>
/// <param name="Question">What is asked.</param>
public sealed record NumberedQuestion(ulong Id, RouteQuestion Question);
