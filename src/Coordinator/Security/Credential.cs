using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace LoadHarness.Coordinator.Security;

/// <summary>
/// The secret that opens a coordinator: 32 random bytes, written as base64url. It never appears in logs, reports or arguments.
/// </summary>
public sealed class Credential
{
    /// <summary>Random bytes in a generated credential.</summary>
    public const int Bytes = 32;

    private const int MaxLength = 1024;

    private readonly byte[] _hash;

    private Credential(string value)
    {
        Value = value;
        _hash = SHA256.HashData(Encoding.UTF8.GetBytes(value));
    }

    /// <summary>The secret itself, for the credential file and the authorization header.</summary>
    internal string Value { get; }

    /// <summary>A new random one.</summary>
    public static Credential Generate() => new(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes)));

    /// <summary>One that was read from a file.</summary>
    /// <exception cref="FormatException">It is not base64url of at least 32 bytes.</exception>
    public static Credential Parse(string text)
    {
        var value = text.Trim();
        if (value.Length > MaxLength || !Base64Url.IsValid(value, out var decoded) || decoded < Bytes)
            throw new FormatException($"not a credential: {Bytes} bytes or more in base64url are wanted");
        return new(value);
    }

    /// <summary>Compares in a time that does not depend on where the first difference is, nor on the length of the secret.</summary>
    public bool Matches(string candidate) =>
        candidate.Length <= MaxLength
        && CryptographicOperations.FixedTimeEquals(_hash, SHA256.HashData(Encoding.UTF8.GetBytes(candidate)));

    /// <summary>Says nothing about the secret.</summary>
    public override string ToString() => "(credential)";
}
