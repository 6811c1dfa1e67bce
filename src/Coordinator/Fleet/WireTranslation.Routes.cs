using System.Collections.Immutable;
using Google.Protobuf;
using Wire = LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

internal static partial class WireTranslation
{
    public static Wire.AttachResponse ToMessage(NumberedQuestion question) => new()
    {
        RouteQuery = new()
        {
            Id = question.Id,
            Names = { question.Question.Names },
            Addresses = { question.Question.Addresses.Select(a => ByteString.CopyFrom(a.ToBytes())) },
        },
    };

    public static RouteReply ToReply(Wire.RouteAnswer answer)
    {
        var names = RouteReply.Empty.Names.ToBuilder();
        foreach (var name in Few(answer.Names, "route_answer.names"))
        {
            names[Bounded(name.Name, "route_answer.names.name")] = new(
                [.. Few(name.Addresses, "route_answer.names.addresses").Select(a => ToAddress(a, "route_answer.names.addresses"))],
                Bounded(name.Error, "route_answer.names.error"));
        }

        var sources = RouteReply.Empty.Sources.ToBuilder();
        foreach (var route in Few(answer.Routes, "route_answer.routes"))
        {
            sources[ToAddress(route.Destination, "route_answer.routes.destination")] =
                route.Source.IsEmpty ? null : ToAddress(route.Source, "route_answer.routes.source");
        }

        return new(names.ToImmutable(), sources.ToImmutable());
    }
}
