using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Addresses as people write them, also as names of properties.</summary>
internal sealed class StoredAddressConverter : JsonConverter<IpAddress>
{
    /// <inheritdoc/>
    public override IpAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString());

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, IpAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());

    /// <inheritdoc/>
    public override IpAddress ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Parse(reader.GetString());

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, IpAddress value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToString());

    private static IpAddress Parse(string? text) => text is not null && IPAddress.TryParse(text, out var address)
        ? IpAddress.FromBytes(address.GetAddressBytes())
        : throw new JsonException("an address is wanted");
}
