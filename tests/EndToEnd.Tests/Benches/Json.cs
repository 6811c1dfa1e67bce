using System.Text.Json;
using System.Text.Json.Nodes;

namespace LoadHarness.EndToEnd.Tests.Benches;

/// <summary>A JSON value that is read by paths such as <c>kernel.established</c>; what is not there fails the test by name.</summary>
public sealed class Json
{
    private readonly JsonNode _node;

    private Json(JsonNode node) => _node = node;

    /// <summary>Reads one value, which must be all of the text.</summary>
    public static Json Parse(string text)
    {
        try
        {
            return new(JsonNode.Parse(text) ?? throw new JsonException("null"));
        }
        catch (JsonException e)
        {
            throw new AssertionException($"this is no JSON ({e.Message}):\n{text}");
        }
    }

    /// <summary>Whether there is such a path.</summary>
    public bool Has(string path) => Find(path) is not null;

    /// <summary>A whole number.</summary>
    public long Number(string path) => Get(path).GetValue<long>();

    /// <summary>A number.</summary>
    public double Real(string path) => Get(path).GetValue<double>();

    /// <summary>True or false.</summary>
    public bool Flag(string path) => Get(path).GetValue<bool>();

    /// <summary>A text.</summary>
    public string Text(string path) => Get(path).GetValue<string>();

    /// <summary>The elements of the array that this is.</summary>
    public IReadOnlyList<Json> Elements => [.. _node.AsArray().Select(n => new Json(n!))];

    /// <summary>The elements of an array.</summary>
    public IReadOnlyList<Json> List(string path) => [.. Get(path).AsArray().Select(n => new Json(n!))];

    /// <summary>The elements of an array of texts.</summary>
    public IReadOnlyList<string> Texts(string path) => [.. Get(path).AsArray().Select(n => n!.GetValue<string>())];

    /// <summary>The members of an object.</summary>
    public IReadOnlyDictionary<string, Json> Members(string path) => Get(path).AsObject().ToDictionary(p => p.Key, p => new Json(p.Value!));

    /// <summary>The members of an object whose values are whole numbers.</summary>
    public IReadOnlyDictionary<string, long> Numbers(string path) => Get(path).AsObject().ToDictionary(p => p.Key, p => p.Value!.GetValue<long>());

    /// <summary>
    /// Every value in it that holds no others, as JSON text, by its path: <c>agents[0].id</c>. An empty array or object is one.
    /// </summary>
    public IReadOnlyDictionary<string, string> Leaves()
    {
        var leaves = new Dictionary<string, string>(StringComparer.Ordinal);
        Collect(_node, "", leaves);
        return leaves;
    }

    /// <inheritdoc/>
    public override string ToString() => _node.ToJsonString(new JsonSerializerOptions { WriteIndented = true });

    private JsonNode Get(string path) => Find(path) ?? throw new AssertionException($"there is no {path} in\n{this}");

    private JsonNode? Find(string path) => path.Split('.').Aggregate<string, JsonNode?>(_node, (node, name) => (node as JsonObject)?[name]);

    private static void Collect(JsonNode? node, string path, Dictionary<string, string> leaves)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } members:
                foreach (var (name, value) in members)
                    Collect(value, path.Length == 0 ? name : $"{path}.{name}", leaves);
                break;
            case JsonArray { Count: > 0 } elements:
                for (var i = 0; i < elements.Count; i++)
                    Collect(elements[i], $"{path}[{i}]", leaves);
                break;
            default:
                leaves.Add(path, node?.ToJsonString() ?? "null");
                break;
        }
    }
}
