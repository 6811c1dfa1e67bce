using System.Net;
using Google.Protobuf;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Fleet;

internal sealed partial class FakeAgent
{
    /// <summary>The answer of an agent that reaches everything from 127.0.0.1.</summary>
    public static RouteAnswer Route(RouteQuery query) => Answering(query, new Dictionary<string, string[]>(), "127.0.0.1");

    /// <summary>The answer of an agent that knows some names, and reaches everything from one address.</summary>
    public static RouteAnswer Answering(RouteQuery query, IReadOnlyDictionary<string, string[]> names, string source)
    {
        var answer = new RouteAnswer { Id = query.Id };
        foreach (var name in query.Names)
        {
            answer.Names.Add(new ResolvedName
            {
                Name = name,
                Addresses = { names.GetValueOrDefault(name, []).Select(Bytes) },
                Error = names.ContainsKey(name) ? "" : "no such name",
            });
        }

        answer.Routes.Add(query.Addresses.Concat(answer.Names.SelectMany(n => n.Addresses))
            .Select(a => new Route { Destination = a, Source = Bytes(source) }));
        return answer;
    }

    /// <summary>The answer of an agent whose host is well.</summary>
    public static CheckAnswer Well(CheckQuery query) => new()
    {
        Id = query.Id,
        Checks = { new HostCheck { Name = "cores", Value = "2", Verdict = HostCheck.Types.Verdict.Ok } },
    };

    private static ByteString Bytes(string address) => ByteString.CopyFrom(IPAddress.Parse(address).GetAddressBytes());
}
