using System.Buffers;
using System.Globalization;

namespace LoadHarness.Coordinator.Specs;

/// <summary>What may stand where in an HTTP/1.1 request (RFC 9110, RFC 9112).</summary>
internal static class HttpText
{
    private const int LongestHost = 261;
    private const int LongestPath = 8000;

    private static readonly SearchValues<char> _tokenChars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>A token: a method, the name of a field.</summary>
    public static bool IsToken(string text) => text.Length > 0 && text.AsSpan().IndexOfAnyExcept(_tokenChars) < 0;

    /// <summary>The value of a field.</summary>
    public static bool IsValue(string text) => text.All(c => c is (>= ' ' or '\t') and not '\u007f' and <= '\u00ff');

    /// <summary>A host, with a port or without.</summary>
    public static bool IsHost(string text) => text.Length is > 0 and <= LongestHost && text.All(IsVisible) && !text.Contains('/', StringComparison.Ordinal);

    /// <summary>A path in origin form, with its query.</summary>
    public static bool IsPath(string text) => text.Length is > 0 and <= LongestPath && text[0] == '/' && text.All(c => IsVisible(c) && c != '#');

    /// <summary>A status.</summary>
    public static bool TryStatus(string text, out int status) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= 100 and <= 999;

    private static bool IsVisible(char c) => c is > ' ' and < '\u007f';
}
