namespace LoadHarness.Protos;

/// <summary>Why what has come is no HTTP/1.1 response (RFC 9112), or none that every reader would end at the same byte.</summary>
public enum ResponseFault : byte
{
    /// <summary>It is one.</summary>
    None,

    /// <summary>It does not begin with HTTP/1.</summary>
    NotHttp,

    /// <summary>It begins as a TLS record does: the target wants TLS.</summary>
    TlsRecord,

    /// <summary>It begins as an HTTP/2 frame does.</summary>
    Http2Frame,

    /// <summary>The status line is not "HTTP/1.x SP three digits".</summary>
    StatusLine,

    /// <summary>101 Switching Protocols, which nobody asked for.</summary>
    UpgradeUnasked,

    /// <summary>A field line has no name, white space before its colon or at its start, or a byte that no field may have.</summary>
    FieldLine,

    /// <summary>Content-Length is no number below 10^18, or is there twice.</summary>
    ContentLength,

    /// <summary>Transfer-Encoding is anything but "chunked", or comes in HTTP/1.0.</summary>
    TransferEncoding,

    /// <summary>Content-Length beside Transfer-Encoding, or a length where there is no body (1xx, 204).</summary>
    TwoLengths,

    /// <summary>Status line and fields, or those of all interim responses, or a chunk's size line, or the trailer, are longer than 64 KB.</summary>
    TooLong,

    /// <summary>A chunk's size is no hexadecimal number below 2^60, or its line or data do not end with CRLF.</summary>
    Chunk,

    /// <summary>The peer's FIN came in the middle.</summary>
    Truncated,

    /// <summary>Bytes came that no request asked for.</summary>
    Unasked,

    /// <summary>Of an echo: other bytes than were sent.</summary>
    OtherContent,
}
