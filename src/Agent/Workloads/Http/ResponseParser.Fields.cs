using System.Text;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Workloads.Http;

/// <content>The field lines that say where a response ends and whether the connection does.</content>
internal partial struct ResponseParser
{
    private const byte BeforeDigits = 0;
    private const byte InDigits = 1;
    private const byte AfterDigits = 2;

    [Flags]
    private enum Word : byte
    {
        None = 0,
        ContentLength = 1,
        Connection = 2,
        TransferEncoding = 4,
        Names = 7,
        Close = 8,
        KeepAlive = 16,
        Chunked = 32,
        Values = 56,
    }

    private int FieldStart(byte b)
    {
        if (b is (byte)'\r' or (byte)'\n')
            return LineEnd(b);
        _phase = Phase.FieldName;
        BeginWord(Has(Flags.Trailer) ? Word.None : Word.Names);
        return 0;
    }

    // White space at the start would continue the line before, white space before the colon hides the name: both are refused
    // (RFC 9112, 5.1 and 5.2).
    private int FieldName(ReadOnlySpan<byte> bytes)
    {
        var length = TokenLength(bytes);
        Spell(bytes[..length]);
        if (length == bytes.Length)
            return length;
        if (bytes[length] != ':' || _index == 0)
            return Fail(ResponseFault.FieldLine);
        return EndFieldName() ? length + 1 : 0;
    }

    private bool EndFieldName()
    {
        _field = EndWord();
        _phase = Phase.FieldValue;
        BeginWord(Word.Values);
        if (_field == Word.ContentLength)
        {
            if (Has(Flags.HasLength))
                Fail(ResponseFault.ContentLength);
            _flags |= Flags.HasLength;
        }

        return _fault == ResponseFault.None;
    }

    private int FieldValue(ReadOnlySpan<byte> bytes)
    {
        var b = bytes[0];
        if (b is (byte)'\r' or (byte)'\n')
            return EndFieldValue() ? LineEnd(b) : Fail(ValueFault);
        if (b == 0)
            return Fail(ResponseFault.FieldLine);
        return _field == Word.ContentLength ? LengthByte(b) : Options(bytes);
    }

    private readonly ResponseFault ValueFault =>
        _field == Word.ContentLength ? ResponseFault.ContentLength : ResponseFault.TransferEncoding;

    private bool EndFieldValue()
    {
        var fits = _field switch
        {
            Word.ContentLength => _index != BeforeDigits,
            Word.TransferEncoding => EndOption() && Has(Flags.Chunked),
            _ => EndOption(),
        };
        if (fits)
            _field = Word.None;
        return fits;
    }

    // Digits with white space around them.
    private int LengthByte(byte b)
    {
        if (b is (byte)' ' or (byte)'\t')
        {
            _index = _index == BeforeDigits ? BeforeDigits : AfterDigits;
            return 1;
        }

        if (b is < (byte)'0' or > (byte)'9' || _index == AfterDigits || _left >= LongestLength / 10)
            return Fail(ResponseFault.ContentLength);
        _index = InDigits;
        _left = (_left * 10) + (b - '0');
        return 1;
    }

    // A list of tokens: of Connection, those that are not known are passed over; of Transfer-Encoding, only "chunked" is known.
    private int Options(ReadOnlySpan<byte> bytes)
    {
        var length = TokenLength(bytes);
        if (length > 0)
        {
            if (Has(Flags.Blank))
                _words = Word.None;
            Spell(bytes[..length]);
            return length;
        }

        switch (bytes[0])
        {
            case (byte)',':
                return EndOption() ? 1 : Fail(ValueFault);
            case (byte)' ' or (byte)'\t':
                if (_index > 0)
                    _flags |= Flags.Blank;
                return 1;
            default:
                _words = Word.None;
                _index = Math.Max(_index, (byte)1);
                return 1;
        }
    }

    private bool EndOption()
    {
        var empty = _index == 0;
        var word = EndWord();
        BeginWord(Word.Values);
        _flags &= ~Flags.Blank;
        if (_field == Word.TransferEncoding)
        {
            var known = word == Word.Chunked && !Has(Flags.Chunked);
            if (known)
                _flags |= Flags.Chunked;
            return empty || known;
        }

        _flags |= word switch
        {
            Word.Close => Flags.Close,
            Word.KeepAlive => Flags.KeepAlive,
            _ => Flags.None,
        };
        return true;
    }

    private void BeginWord(Word candidates)
    {
        _words = candidates;
        _index = 0;
    }

    // Strikes out the words that do not go on like this.
    private void Spell(ReadOnlySpan<byte> letters)
    {
        for (var left = (int)_words; left != 0; left &= left - 1)
        {
            var word = (Word)(left & -left);
            var spelling = Spelling(word);
            if (_index + letters.Length > spelling.Length || !Ascii.EqualsIgnoreCase(letters, spelling.Slice(_index, letters.Length)))
                _words &= ~word;
        }

        _index = (byte)Math.Min(byte.MaxValue, _index + letters.Length);
    }

    private readonly Word EndWord()
    {
        for (var left = (int)_words; left != 0; left &= left - 1)
        {
            if (Spelling((Word)(left & -left)).Length == _index)
                return (Word)(left & -left);
        }

        return Word.None;
    }

    private static ReadOnlySpan<byte> Spelling(Word word) => word switch
    {
        Word.ContentLength => "content-length"u8,
        Word.Connection => "connection"u8,
        Word.TransferEncoding => "transfer-encoding"u8,
        Word.Close => "close"u8,
        Word.KeepAlive => "keep-alive"u8,
        Word.Chunked => "chunked"u8,
        _ => default,
    };

    private static int TokenLength(ReadOnlySpan<byte> bytes)
    {
        var length = bytes.IndexOfAnyExcept(_tokenBytes);
        return length < 0 ? bytes.Length : length;
    }
}
