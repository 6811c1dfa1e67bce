namespace LoadHarness.Agent.Workloads.Http;

/// <summary>
/// The head that came last, and what the parser had made of it. Responses of one target mostly begin with the same bytes, and a parser is a
/// function of the bytes alone: what it has read once need only be compared. Allocates nothing once made.
/// </summary>
internal sealed class KnownHead
{
    // Longer ones are parsed anew.
    private const int Longest = 2048;

    private readonly byte[] _bytes = new byte[Longest];
    private int _length;
    private ResponseParser _after;
    private ParseResult _result;

    private static ReadOnlySpan<byte> EmptyLine => "\r\n\r\n"u8;

    /// <summary>As <see cref="ResponseParser.Parse"/>.</summary>
    /// <param name="parser">Expects a response to a method that is the same for all calls.</param>
    /// <param name="bytes">What has arrived.</param>
    /// <param name="used">How many of them belong to the response.</param>
    public ParseResult Parse(ref ResponseParser parser, ReadOnlySpan<byte> bytes, out int used)
    {
        if (parser.HasBegun)
            return parser.Parse(bytes, out used);
        var result = Begin(ref parser, bytes, out used);
        if (result != ParseResult.More || used == bytes.Length)
            return result;
        result = parser.Parse(bytes[used..], out var more);
        used += more;
        return result;
    }

    private ParseResult Begin(ref ResponseParser parser, ReadOnlySpan<byte> bytes, out int used)
    {
        if (_length > 0 && bytes.StartsWith(_bytes.AsSpan(0, _length)))
        {
            (parser, used) = (_after, _length);
            return _result;
        }

        var head = bytes[..Math.Min(bytes.Length, bytes.IndexOf(EmptyLine) + EmptyLine.Length)];
        var result = parser.Parse(head, out used);
        // Wherever the bytes were cut: what followed them had no part in it.
        if (result != ParseResult.Bad && used == head.Length && used is >= 4 and <= Longest && head.EndsWith(EmptyLine))
        {
            head.CopyTo(_bytes);
            (_length, _after, _result) = (used, parser, result);
        }

        return result;
    }
}
