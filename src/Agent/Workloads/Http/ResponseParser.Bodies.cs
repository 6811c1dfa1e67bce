using LoadHarness.Protos;

namespace LoadHarness.Agent.Workloads.Http;

/// <content>Bodies: by length and by chunks (RFC 9112, 6 and 7).</content>
internal partial struct ResponseParser
{
    private int Data(int arrived)
    {
        var taken = (int)Math.Min(_left, arrived);
        _left -= taken;
        if (_left == 0)
            _phase = _phase == Phase.Body ? Phase.Complete : Phase.ChunkEnd;
        return taken;
    }

    private void BeginChunk()
    {
        _phase = Phase.ChunkSize;
        _headBytes = 0;
        _index = 0;
        _left = 0;
    }

    private int ChunkSize(byte b)
    {
        var digit = HexDigit(b);
        if (digit < 0)
            return _index == 0 ? Fail(ResponseFault.Chunk) : AfterChunkSize(b);
        if (_index == MostChunkDigits)
            return Fail(ResponseFault.Chunk);
        _index++;
        _left = (_left << 4) | (uint)digit;
        return 1;
    }

    private int AfterChunkSize(byte b)
    {
        if (b == '\r')
            return LineEnd(b);
        if (b is not ((byte)';' or (byte)' ' or (byte)'\t'))
            return Fail(ResponseFault.Chunk);
        _phase = b == ';' ? Phase.ChunkExtension : Phase.ChunkBlank;
        return 1;
    }

    // White space after the size is there only before an extension.
    private int ChunkBlank(byte b)
    {
        if (b == '\r')
            return Fail(ResponseFault.Chunk);
        return AfterChunkSize(b);
    }

    private void EndChunkSize()
    {
        _headBytes = 0;
        if (_left == 0)
        {
            _flags |= Flags.Trailer;
            _phase = Phase.FieldStart;
        }
        else
        {
            _phase = Phase.ChunkData;
        }
    }

    private static int HexDigit(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        _ => -1,
    };
}
