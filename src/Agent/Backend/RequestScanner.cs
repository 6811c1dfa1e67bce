namespace LoadHarness.Agent.Backend;

/// <summary>What a scan has found.</summary>
internal enum ScanResult
{
    /// <summary>The bytes are used up in the middle of a request.</summary>
    More,

    /// <summary>A request is complete.</summary>
    Request,

    /// <summary>What has come is no request that this server can read.</summary>
    Bad,
}

/// <summary>
/// Finds the ends of HTTP/1.1 requests (RFC 9112) in a stream of bytes, however it is cut, and what of them matters to a
/// server that gives the same answer to all: HEAD, Content-Length, Connection: close. Transfer codings are refused.
/// </summary>
internal struct RequestScanner
{
    /// <summary>Bytes of request line and fields together.</summary>
    public const int LongestHead = 65_536;

    private const int LongestLength = 1 << 30;

    // "HTTP/1." as the bytes before the last one of a request line.
    private const ulong VersionPrefix = 0x48_54_54_50_2F_31_2E;
    private const byte Mismatch = byte.MaxValue;

    private static ReadOnlySpan<byte> ContentLength => "content-length"u8;
    private static ReadOnlySpan<byte> Connection => "connection"u8;
    private static ReadOnlySpan<byte> TransferEncoding => "transfer-encoding"u8;
    private static ReadOnlySpan<byte> CloseToken => "close"u8;

    private Phase _phase;
    private Field _fields;
    private byte _index;
    private byte _method;
    private bool _carriageReturn;
    private bool _closes;
    private bool _hasLength;
    private int _length;
    private int _headBytes;
    private ulong _lineEnd;

    private enum Phase : byte
    {
        BeforeLine,
        RequestLine,
        FieldStart,
        FieldName,
        FieldValue,
        Body,
    }

    [Flags]
    private enum Field : byte
    {
        None = 0,
        ContentLength = 1,
        Connection = 2,
        TransferEncoding = 4,
        All = 7,
    }

    /// <summary>Whether the request that was found asks for no body in its answer.</summary>
    public readonly bool IsHead => _method == (byte)'H';

    /// <summary>Whether the connection ends after the request that was found.</summary>
    public readonly bool Closes => _closes;

    /// <summary>Scans up to the end of the next request.</summary>
    /// <param name="bytes">What has arrived.</param>
    /// <param name="used">How many of them were looked at; the rest belongs to the next request.</param>
    public ScanResult Scan(ReadOnlySpan<byte> bytes, out int used)
    {
        for (used = 0; used < bytes.Length;)
        {
            if (_phase == Phase.Body)
            {
                var taken = Math.Min(_length, bytes.Length - used);
                used += taken;
                _length -= taken;
            }
            else if (++_headBytes > LongestHead || !Step(bytes[used++]))
            {
                return ScanResult.Bad;
            }

            if (_phase == Phase.Body && _length == 0)
            {
                _phase = Phase.BeforeLine;
                _headBytes = 0;
                return ScanResult.Request;
            }
        }

        return ScanResult.More;
    }

    private bool Step(byte b)
    {
        // A bare CR and NUL mean one thing to one server and another to the next (RFC 9112, 2.2; RFC 9110, 5.5).
        if ((_carriageReturn && b != '\n') || b == 0)
            return false;
        _carriageReturn = b == '\r';
        return _phase switch
        {
            Phase.BeforeLine => BeginRequest(b),
            Phase.RequestLine => RequestLine(b),
            Phase.FieldStart => FieldStart(b),
            Phase.FieldName => FieldName(b),
            _ => FieldValue(b),
        };
    }

    // Empty lines before a request line are passed over (RFC 9112, 2.2).
    private bool BeginRequest(byte b)
    {
        if (b is (byte)'\r' or (byte)'\n')
            return true;
        var headBytes = _headBytes;
        this = default;
        _headBytes = headBytes;
        _method = b;
        _phase = Phase.RequestLine;
        return b is >= (byte)'A' and <= (byte)'Z';
    }

    private bool RequestLine(byte b)
    {
        if (b == '\n')
        {
            // The line ends with HTTP/1.x; before 1.1 a connection does not stay open.
            var minor = (byte)_lineEnd;
            _closes = minor == '0';
            _phase = Phase.FieldStart;
            return _lineEnd >> 8 == VersionPrefix && minor is >= (byte)'0' and <= (byte)'9';
        }

        if (b != '\r')
            _lineEnd = (_lineEnd << 8) | b;
        return true;
    }

    private bool FieldStart(byte b)
    {
        if (b == '\r')
            return true;
        if (b == '\n')
        {
            _phase = Phase.Body;
            return true;
        }

        _phase = Phase.FieldName;
        _fields = Field.All;
        _index = 0;
        // White space would continue the line before, which is obsolete and refused (RFC 9112, 5.2).
        return b != ':' && FieldName(b);
    }

    private bool FieldName(byte b)
    {
        if (b == ':')
            return EndFieldName();
        if (b is <= (byte)' ' or >= 0x7F)
            return false;
        Narrow(Field.ContentLength, ContentLength, b);
        Narrow(Field.Connection, Connection, b);
        Narrow(Field.TransferEncoding, TransferEncoding, b);
        if (_index < byte.MaxValue)
            _index++;
        return true;
    }

    private void Narrow(Field field, ReadOnlySpan<byte> name, byte b)
    {
        if (_index >= name.Length || name[_index] != Lower(b))
            _fields &= ~field;
    }

    private bool EndFieldName()
    {
        if (_index != ContentLength.Length)
            _fields &= ~Field.ContentLength;
        if (_index != Connection.Length)
            _fields &= ~Field.Connection;
        if (_index != TransferEncoding.Length)
            _fields &= ~Field.TransferEncoding;
        _phase = Phase.FieldValue;
        _index = 0;
        // Two lengths, or a coding beside a length, are how requests are smuggled.
        if (_fields == Field.ContentLength && _hasLength)
            return false;
        _hasLength |= _fields == Field.ContentLength;
        return _fields != Field.TransferEncoding;
    }

    private bool FieldValue(byte b)
    {
        if (b == '\n')
            _phase = Phase.FieldStart;
        if (b == '\r')
            return true;
        return _fields switch
        {
            Field.ContentLength => LengthDigit(b),
            Field.Connection => ConnectionOption(b),
            _ => true,
        };
    }

    // Digits with white space around them; _index counts the three parts.
    private bool LengthDigit(byte b)
    {
        if (b is (byte)' ' or (byte)'\t' or (byte)'\n')
        {
            var missing = _index == 0 && b == '\n';
            _index = (byte)(_index == 0 ? 0 : 2);
            return !missing;
        }

        if (b is < (byte)'0' or > (byte)'9' || _index == 2 || _length > LongestLength / 10)
            return false;
        _index = 1;
        _length = (_length * 10) + (b - '0');
        return true;
    }

    // A list of tokens; _index is how much of "close" the present one has been, one more once white space ended it.
    private bool ConnectionOption(byte b)
    {
        if (b is (byte)',' or (byte)'\n')
        {
            _closes |= _index == CloseToken.Length || _index == CloseToken.Length + 1;
            _index = 0;
        }
        else if (b is (byte)' ' or (byte)'\t')
        {
            if (_index != 0)
                _index = _index == CloseToken.Length || _index == CloseToken.Length + 1 ? (byte)(CloseToken.Length + 1) : Mismatch;
        }
        else
        {
            _index = _index < CloseToken.Length && CloseToken[_index] == Lower(b) ? (byte)(_index + 1) : Mismatch;
        }

        return true;
    }

    private static byte Lower(byte b) => b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;
}
