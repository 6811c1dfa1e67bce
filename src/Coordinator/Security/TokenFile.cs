using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LoadHarness.Coordinator.Security;

/// <summary>STATE/tokens.json: hashes of tokens, mode 0600. Edited by <c>loadharness tokens</c>, read by the coordinator.</summary>
public sealed class TokenFile(string path)
{
    private const string What = "token file";
    private const int MostBytes = 4 * 1024 * 1024;
    private const int Sha256Digits = 64;
    private static readonly TimeSpan _lockPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _lockPause = TimeSpan.FromMilliseconds(20);

    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Where it is.</summary>
    public string Path => path;

    /// <summary>All tokens; none when there is no file.</summary>
    /// <exception cref="CredentialException">It cannot be read, others may read it, or it holds something else.</exception>
    public ImmutableArray<Token> Read()
    {
        if (!File.Exists(path) && !Directory.Exists(path))
            return [];
        var text = SafeFile.ReadSecret(path, What, MostBytes);
        try
        {
            var tokens = JsonSerializer.Deserialize<Content>(text, _json)?.Tokens ?? throw new JsonException("it holds no tokens.");
            var distinct = tokens.Select(Checked).DistinctBy(t => t.Name).ToImmutableArray();
            return distinct.Length == tokens.Count ? distinct : throw new JsonException("a name stands there twice.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new CredentialException(
                $"{What} {path} cannot be used: {e.Message} It was left as it is; restore it, or remove it and create the tokens again", e);
        }
    }

    /// <summary>Changes it, alone: two programs at once do not undo each other's changes.</summary>
    /// <param name="change">Makes the new tokens out of those that are there; may throw.</param>
    /// <exception cref="CredentialException">It is another user's, or cannot be read or written.</exception>
    public void Change(Func<ImmutableArray<Token>, ImmutableArray<Token>> change)
    {
        if (File.Exists(path))
            SafeFile.RequireOwn(path);
        using var held = Lock();
        var content = new Content { Tokens = change(Read()) };
        SafeFile.Replace(path, What, JsonSerializer.Serialize(content, _json) + Environment.NewLine, SafeFile.OwnerOnly);
    }

    private static Token Checked(Token? token) => token switch
    {
        null => throw new JsonException("a token is null."),
        _ when !Token.IsName(token.Name ?? "") => throw new JsonException("a token has no name, or one that is not allowed."),
        _ when token.Sha256?.Length != Sha256Digits || !token.Sha256.All(char.IsAsciiHexDigitLower) =>
            throw new JsonException($"sha256 of token {token.Name} is not {Sha256Digits} lower-case hexadecimal digits."),
        { Labels: null } => token with { Labels = ImmutableSortedDictionary<string, string>.Empty },
        _ when token.Labels.Values.Any(v => v is null) => throw new JsonException($"a label of token {token.Name} is null."),
        _ => token,
    };

    private FileStream Lock()
    {
        var lockFile = path + ".lock";
        var until = Environment.TickCount64 + (long)_lockPatience.TotalMilliseconds;
        while (true)
        {
            if (SafeFile.TryLock(lockFile) is { } held)
                return held;
            if (Environment.TickCount64 >= until)
                throw new CredentialException($"{What} {path} is being changed by another process, which holds {lockFile}; try again when that has ended");
            Thread.Sleep(_lockPause);
        }
    }

    private sealed record Content
    {
        public int Version { get; init; } = 1;

        public required IReadOnlyList<Token> Tokens { get; init; }
    }
}
