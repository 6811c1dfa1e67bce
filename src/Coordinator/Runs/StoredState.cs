using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace LoadHarness.Coordinator.Runs;

/// <summary>
/// What a run that goes on needs to go on after a restart of the coordinator: JSON with the names of our own records, compressed, for it is
/// written every few seconds. What is default is left out, so a property that is added needs a default that is its type's.
/// </summary>
internal static class StoredState
{
    private static readonly JsonSerializerOptions _options = new(JsonSerializerDefaults.Web)
    {
        Converters = { new StoredAddressConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        IgnoreReadOnlyProperties = true,
        // Of tuples.
        IncludeFields = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { NothingIsRequired } },
    };

    /// <summary>As the store keeps it.</summary>
    public static byte[] Write<T>(T state)
    {
        using var compressed = new MemoryStream();
        using (var stream = new ZLibStream(compressed, CompressionLevel.Fastest))
            JsonSerializer.Serialize(stream, state, _options);
        return compressed.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static T Read<T>(byte[] stored)
    {
        try
        {
            using var stream = new ZLibStream(new MemoryStream(stored), CompressionMode.Decompress);
            return JsonSerializer.Deserialize<T>(stream, _options) ?? throw new JsonException("it is null");
        }
        catch (InvalidDataException e)
        {
            throw new JsonException(e.Message, e);
        }
    }

    private static void NothingIsRequired(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
            property.IsRequired = false;
    }
}
