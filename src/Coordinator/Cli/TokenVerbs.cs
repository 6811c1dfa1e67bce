using System.CommandLine;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Cli;

/// <summary>What the verbs of tokens share.</summary>
internal static class TokenVerbs
{
    public static Argument<string?> Name() => new("NAME") { Description = "Names the token in lists and messages", Arity = ArgumentArity.ZeroOrOne };

    public static IEnumerable<SpecError> Check(string? name)
    {
        if (!Token.IsName(name ?? ""))
        {
            yield return new("NAME", name ?? "", string.IsNullOrEmpty(name) ? "is missing" : "is no name",
                $"letters, digits and . _ - @, at most {Token.LongestName} of them", "Give the token a name, as in alice or lab-2");
        }
    }

    public static string Word(TokenRole role) => role switch
    {
        TokenRole.Viewer => "viewer",
        TokenRole.Operator => "operator",
        _ => "agent",
    };

    public static string Until(Token token) => token.Expires is { } expires ? $"good until {expires:u}" : "good until it is revoked";

    public static string StateOf(Token token, DateTimeOffset now) => token.HasExpired(now) ? "expired" : "valid";

    public static JsonObject Json(Token token, DateTimeOffset now) => new()
    {
        ["name"] = token.Name,
        ["role"] = Word(token.Role),
        ["created"] = token.Created.UtcDateTime,
        ["expires"] = token.Expires?.UtcDateTime,
        ["state"] = StateOf(token, now),
        ["labels"] = new JsonObject(token.Labels.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value))),
    };
}
