using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace LoadHarness.Coordinator.Security;

/// <summary>What a coordinator keeps of a token: everything but the secret.</summary>
public sealed record Token
{
    /// <summary>Most characters of a name.</summary>
    public const int LongestName = 64;

    /// <summary>Most characters of a label's name or value.</summary>
    public const int LongestLabel = 128;

    /// <summary>Names it in lists and messages: letters, digits and <c>. _ - @</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is good for.</summary>
    public required TokenRole Role { get; init; }

    /// <summary>SHA-256 of the secret, in lower-case hexadecimal. The secret has 256 random bits: a slow hash would add nothing.</summary>
    public required string Sha256 { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>From when on it is worth nothing; null: never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Of a join token: labels that the agent must carry.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Whether it is worth nothing any more.</summary>
    public bool HasExpired(DateTimeOffset now) => Expires <= now;

    /// <summary>Whether a text can name a token.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= LongestName && text[0] != '.' && text[0] != '-' && text.All(c => char.IsAsciiLetterOrDigit(c) || "._-@".Contains(c));

    /// <summary>The hash of a secret.</summary>
    public static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
