using System.Buffers;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Workloads.Http;

/// <summary>
/// Finds the ends of HTTP/1.1 responses (RFC 9112) in a stream of bytes, however it is cut: Content-Length, chunked, no body
/// (HEAD, 204, 304), up to the peer's FIN; interim responses are passed over. What two readers could end at different bytes is
/// a fault. Keeps no byte and allocates nothing; 24 bytes of state.
/// </summary>
internal partial struct ResponseParser
{
    /// <summary>Bytes of status line and fields, of interim responses together with the final one; of one chunk's size line; of the trailer.</summary>
    public const int LongestHead = 65_536;

    /// <summary>The highest status code: three digits.</summary>
    public const int HighestStatus = 999;

    private const long LongestLength = 1_000_000_000_000_000_000;
    private const int MostChunkDigits = 15;
    private const int StatusCodeEnd = 12;

    private static readonly SearchValues<byte> _tokenBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> _lineEnds = SearchValues.Create("\r\n\0"u8);

    private long _left;
    private int _headBytes;
    private ushort _status;
    private Phase _phase;
    private Flags _flags;
    private Word _field;
    private Word _words;
    private byte _index;
    private ResponseFault _fault;

    private enum Phase : byte
    {
        StatusLine,
        Reason,
        FieldStart,
        FieldName,
        FieldValue,
        Body,
        UntilFin,
        ChunkSize,
        ChunkBlank,
        ChunkExtension,
        ChunkData,
        ChunkEnd,
        Complete,
    }

    [Flags]
    private enum Flags : ushort
    {
        None = 0,
        ToHead = 1,
        CarriageReturn = 2,
        Close = 4,
        KeepAlive = 8,
        HasLength = 16,
        Chunked = 32,
        OldVersion = 64,
        Trailer = 128,
        Blank = 256,
    }

    /// <summary>The status code of the last complete status line, 100 to 999.</summary>
    public readonly int Status => _status;

    /// <summary>Whether the connection ends after the response that was found.</summary>
    public readonly bool Closes => Has(Flags.Close) || (Has(Flags.OldVersion) && !Has(Flags.KeepAlive));

    /// <summary>Why the parse was bad.</summary>
    public readonly ResponseFault Fault => _fault;

    /// <summary>Whether a byte of the response has come.</summary>
    public readonly bool HasBegun => _headBytes > 0 || _phase != Phase.StatusLine;

    private static ReadOnlySpan<byte> Version => "HTTP/1."u8;

    /// <summary>Expects the response to a request that was sent now.</summary>
    /// <param name="toHead">The request's method was HEAD: its response has no body, whatever it says.</param>
    public void Expect(bool toHead)
    {
        this = default;
        _flags = toHead ? Flags.ToHead : Flags.None;
    }

    /// <summary>Parses up to the end of the response.</summary>
    /// <param name="bytes">What has arrived.</param>
    /// <param name="used">How many of them belong to it.</param>
    public ParseResult Parse(ReadOnlySpan<byte> bytes, out int used)
    {
        for (used = 0; used < bytes.Length;)
        {
            var counted = _phase is not (Phase.Body or Phase.UntilFin or Phase.ChunkData);
            var taken = Step(bytes[used..]);
            used += taken;
            if (counted && _fault == ResponseFault.None && (_headBytes += taken) > LongestHead)
                _fault = ResponseFault.TooLong;
            if (_fault != ResponseFault.None)
                return ParseResult.Bad;
            if (_phase == Phase.Complete)
                return ParseResult.Response;
        }

        return ParseResult.More;
    }

    /// <summary>The peer's FIN has come: the end of a response without a length, a fault in the middle of any other.</summary>
    public ParseResult End()
    {
        if (_fault == ResponseFault.None && _phase == Phase.UntilFin)
        {
            _phase = Phase.Complete;
            return ParseResult.Response;
        }

        _fault = _fault == ResponseFault.None ? ResponseFault.Truncated : _fault;
        return ParseResult.Bad;
    }

    // How many bytes of one kind were taken; 0 when only the phase has changed.
    private int Step(ReadOnlySpan<byte> bytes)
    {
        if (_phase is Phase.Body or Phase.ChunkData)
            return Data(bytes.Length);
        // A bare CR and NUL mean one thing to one reader and another to the next (RFC 9112, 2.2; RFC 9110, 5.5).
        if (Has(Flags.CarriageReturn))
            return bytes[0] == '\n' ? EndLine() : Fail(LineFault);
        return _phase switch
        {
            Phase.StatusLine => StatusLine(bytes),
            Phase.FieldStart => FieldStart(bytes[0]),
            Phase.FieldName => FieldName(bytes),
            Phase.FieldValue when _field != Word.None => FieldValue(bytes),
            Phase.Reason or Phase.FieldValue or Phase.ChunkExtension => Text(bytes),
            Phase.UntilFin => bytes.Length,
            Phase.ChunkSize => ChunkSize(bytes[0]),
            Phase.ChunkBlank => ChunkBlank(bytes[0]),
            Phase.ChunkEnd => LineEnd(bytes[0]),
            _ => Fail(ResponseFault.Unasked),
        };
    }

    private readonly ResponseFault LineFault => _phase switch
    {
        Phase.StatusLine or Phase.Reason => ResponseFault.StatusLine,
        Phase.FieldStart or Phase.FieldName or Phase.FieldValue => ResponseFault.FieldLine,
        _ => ResponseFault.Chunk,
    };

    private readonly bool Has(Flags flag) => (_flags & flag) != 0;

    private int Fail(ResponseFault fault)
    {
        _fault = fault;
        return 0;
    }

    private int StatusLine(ReadOnlySpan<byte> bytes)
    {
        var i = 0;
        for (; i < bytes.Length && _index < StatusCodeEnd; i++)
        {
            if (!StatusByte(bytes[i]))
                return 0;
            _index++;
        }

        if (i == bytes.Length)
            return i;
        if (bytes[i] != ' ')
            return i + LineEnd(bytes[i]);
        _phase = Phase.Reason;
        return i + 1;
    }

    private bool StatusByte(byte b)
    {
        var fits = _index switch
        {
            < 7 => b == Version[_index],
            7 => b is >= (byte)'0' and <= (byte)'9',
            8 => b == ' ',
            9 => b is >= (byte)'1' and <= (byte)'9',
            _ => b is >= (byte)'0' and <= (byte)'9',
        };
        if (!fits)
        {
            Fail(StartFault(b));
            return false;
        }

        if (_index == 7 && b == '0')
            _flags |= Flags.OldVersion;
        if (_index > 8)
            _status = (ushort)((_status * 10) + (b - '0'));
        return true;
    }

    private readonly ResponseFault StartFault(byte b) => _index switch
    {
        0 when b is 0x14 or 0x15 or 0x16 => ResponseFault.TlsRecord,
        0 when b == 0 => ResponseFault.Http2Frame,
        < 7 => ResponseFault.NotHttp,
        _ => ResponseFault.StatusLine,
    };

    private int Text(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOfAny(_lineEnds);
        return end == 0 ? LineEnd(bytes[0]) : end < 0 ? bytes.Length : end;
    }

    private int LineEnd(byte b)
    {
        // A line of the head may end with LF alone (RFC 9112, 2.2); where chunks are counted it may not.
        if (b == '\n' && _phase is not (Phase.ChunkSize or Phase.ChunkExtension or Phase.ChunkEnd))
            return EndLine();
        if (b != '\r')
            return Fail(LineFault);
        _flags |= Flags.CarriageReturn;
        return 1;
    }

    private int EndLine()
    {
        _flags &= ~Flags.CarriageReturn;
        switch (_phase)
        {
            case Phase.FieldStart when Has(Flags.Trailer):
                _phase = Phase.Complete;
                break;
            case Phase.FieldStart:
                EndHead();
                break;
            case Phase.ChunkEnd:
                BeginChunk();
                break;
            case Phase.ChunkSize or Phase.ChunkExtension:
                EndChunkSize();
                break;
            default:
                _phase = Phase.FieldStart;
                break;
        }

        return 1;
    }

    private void EndHead()
    {
        var interim = _status < 200;
        if (_status == 101)
            Fail(ResponseFault.UpgradeUnasked);
        else if (Has(Flags.Chunked) && Has(Flags.OldVersion))
            Fail(ResponseFault.TransferEncoding);
        else if (Has(Flags.Chunked) && (Has(Flags.HasLength) || interim || _status == 204))
            Fail(ResponseFault.TwoLengths);
        else if ((interim || _status == 204) && _left > 0)
            Fail(ResponseFault.TwoLengths);
        else if (interim)
            BeginAgain();
        else if (Has(Flags.ToHead) || _status is 204 or 304)
            _phase = Phase.Complete;
        else if (Has(Flags.Chunked))
            BeginChunk();
        else if (Has(Flags.HasLength))
            _phase = _left == 0 ? Phase.Complete : Phase.Body;
        else
            BeginUntilFin();
    }

    // The bytes of interim responses go on counting: a peer could send them for ever.
    private void BeginAgain()
    {
        var headBytes = _headBytes;
        Expect(Has(Flags.ToHead));
        _headBytes = headBytes;
    }

    private void BeginUntilFin()
    {
        _phase = Phase.UntilFin;
        _flags |= Flags.Close;
    }
}
