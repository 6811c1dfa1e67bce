using LoadHarness.Agent.Workloads.Http;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Workloads.Http;

/// <content>Responses, and what is to become of each.</content>
public sealed partial class ResponseParserTests
{
    private static readonly TestCaseData[] _good =
    [
        Good(Ok, 200),
        Good("HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200),
        Good("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200),
        Good("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200),
        Good("HTTP/1.9 299 what \u00e9 ever: it is\r\ncontent-LENGTH:\t3 \t\r\n\r\nabc", 299),
        Good("HTTP/1.1 404 Not Found\r\nDate: now\r\nServer:\r\nContent-Length:1\r\n\r\nx", 404),
        Good("HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n", 999),
        Good("HTTP/1.1 204 No Content\r\n\r\n", 204),
        Good("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204),
        Good("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", 304),
        Good("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304),
        Good("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\nConnection: close\r\n\r\n" + Ok, 200),
        Good("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200),
        Good("HTTP/1.1 200 OK\r\nTransfer-Encoding: , Chunked ,\r\n\r\n3\r\nabc\r\n00A;x=\"y z\"\r\n0123456789\r\n0\r\n\r\n", 200),
        Good("HTTP/1.1 200 OK\r\ntransfer-encoding:chunked\r\n\r\n1 \t;x\r\na\r\n000\r\nContent-Length: 99\r\nX: y\r\n\r\n", 200),
        Good("HTTP/1.1 200 OK\r\nX-Content-Length: 9\r\nContent-Lengths: 9\r\nX: Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 200),
        Good("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n\r", 200, closes: true),
        Good("HTTP/1.1 200 OK\r\nConnection: keep-alive, Close \r\nContent-Length: 0\r\n\r\n", 200, closes: true),
        Good("HTTP/1.1 200 OK\r\nConnection: \"close\r\nConnection: close x, disclose, closed, x close\r\nContent-Length: 0\r\n\r\n", 200),
        Good("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, closes: true),
        Good("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", 200),
        Good("HTTP/1.0 200 OK\r\nConnection: close, keep-alive\r\nContent-Length: 0\r\n\r\n", 200, closes: true),
    ];

    private static readonly TestCaseData[] _untilFin =
    [
        Good("HTTP/1.1 200 OK\r\n\r\nall of this\r\n\r\n", 200, closes: true),
        Good("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", 200, closes: true),
    ];

    private static readonly TestCaseData[] _bad =
    [
        Bad("HTTQ/1.1 200 OK\r\n\r\n", ResponseFault.NotHttp),
        Bad("\r\nHTTP/1.1 200 OK\r\n\r\n", ResponseFault.NotHttp),
        Bad("HTTP/2.0 200 OK\r\n\r\n", ResponseFault.NotHttp),
        Bad("SSH-2.0-OpenSSH_9\r\n", ResponseFault.NotHttp),
        Bad("\u0015\u0003\u0001\0\u0002\u0002\u0046", ResponseFault.TlsRecord),
        Bad("\u0016\u0003\u0003", ResponseFault.TlsRecord),
        Bad("\0\0\u0012\u0004\0\0\0\0\0", ResponseFault.Http2Frame),
        Bad("HTTP/1.x 200 OK\r\n\r\n", ResponseFault.StatusLine),
        Bad("HTTP/1.1  200 OK\r\n\r\n", ResponseFault.StatusLine),
        Bad("HTTP/1.1 20 OK\r\n\r\n", ResponseFault.StatusLine),
        Bad("HTTP/1.1 2000 OK\r\n\r\n", ResponseFault.StatusLine),
        Bad("HTTP/1.1 012 OK\r\n\r\n", ResponseFault.StatusLine),
        Bad("HTTP/1.1 200 O\rK\r\n\r\n", ResponseFault.StatusLine),
        Bad("HTTP/1.1 200 O\0K\r\n\r\n", ResponseFault.StatusLine),
        Bad("HTTP/1.1 101 Switching Protocols\r\n\r\n", ResponseFault.UpgradeUnasked),
        Bad("HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", ResponseFault.FieldLine),
        Bad("HTTP/1.1 200 OK\r\n: nameless\r\n\r\n", ResponseFault.FieldLine),
        Bad("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", ResponseFault.FieldLine),
        Bad("HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n", ResponseFault.FieldLine),
        Bad("HTTP/1.1 200 OK\r\n X: a\r\n\r\n", ResponseFault.FieldLine),
        Bad("HTTP/1.1 200 OK\r\nX: a\rY: b\r\n\r\n", ResponseFault.FieldLine),
        Bad("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", ResponseFault.FieldLine),
        Bad("HTTP/1.1 200 OK\r\nConnection: a\0b\r\n\r\n", ResponseFault.FieldLine),
        Bad("HTTP/1.1 200 OK\r\n\rX: a\r\n\r\n", ResponseFault.FieldLine),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", ResponseFault.ContentLength),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", ResponseFault.ContentLength),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", ResponseFault.ContentLength),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", ResponseFault.ContentLength),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", ResponseFault.ContentLength),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok", ResponseFault.ContentLength),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: 1 2\r\n\r\nok", ResponseFault.ContentLength),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nok", ResponseFault.ContentLength),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nok", ResponseFault.ContentLength),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000\r\n\r\n", ResponseFault.ContentLength),
        Bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", ResponseFault.TransferEncoding),
        Bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", ResponseFault.TransferEncoding),
        Bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", ResponseFault.TransferEncoding),
        Bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked;q=1\r\n\r\n", ResponseFault.TransferEncoding),
        Bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chun ked\r\n\r\n", ResponseFault.TransferEncoding),
        Bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n", ResponseFault.TransferEncoding),
        Bad("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n", ResponseFault.TransferEncoding),
        Bad("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ResponseFault.TransferEncoding),
        Bad("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", ResponseFault.TwoLengths),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ResponseFault.TwoLengths),
        Bad("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", ResponseFault.TwoLengths),
        Bad("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ResponseFault.TwoLengths),
        Bad("HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nok", ResponseFault.TwoLengths),
        Bad(Chunked("x\r\n"), ResponseFault.Chunk),
        Bad(Chunked("\r\n"), ResponseFault.Chunk),
        Bad(Chunked("-1\r\n"), ResponseFault.Chunk),
        Bad(Chunked("0x1\r\na\r\n"), ResponseFault.Chunk),
        Bad(Chunked("1 \r\na\r\n"), ResponseFault.Chunk),
        Bad(Chunked("1\na\r\n"), ResponseFault.Chunk),
        Bad(Chunked("1;x\na\r\n"), ResponseFault.Chunk),
        Bad(Chunked("1\r\na\n"), ResponseFault.Chunk),
        Bad(Chunked("1\r\nab\r\n"), ResponseFault.Chunk),
        Bad(Chunked("1\rx\r\n"), ResponseFault.Chunk),
        Bad(Chunked("10000000000000000\r\n"), ResponseFault.Chunk),
        Bad(Chunked("0\r\n folded\r\n\r\n"), ResponseFault.FieldLine),
    ];

    private static TestCaseData Good(string response, int status, bool closes = false) => new(response, status, closes);

    private static TestCaseData Bad(string response, ResponseFault fault) => new(response, fault);

    private static string Chunked(string body) => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}
