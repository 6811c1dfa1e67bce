using System.Text;
using CsCheck;
using LoadHarness.Agent.Workloads.Http;

namespace LoadHarness.Agent.Tests.Workloads.Http;

public sealed class ResponseParserTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

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

    [TestCaseSource(nameof(_good))]
    public void Parse_AWholeResponse_IsFoundToItsLastByte(string response, int status, bool closes)
    {
        var bytes = Bytes(response + Ok);
        var outcome = Outcome([bytes], toHead: false, fin: false);

        Assert.That(outcome, Is.EqualTo(new Found(ParseResult.Response, status, closes, ResponseFault.None, bytes.Length - Ok.Length)));
    }

    [TestCaseSource(nameof(_untilFin))]
    public void Parse_AResponseWithoutALength_EndsWithTheFin(string response, int status, bool closes)
    {
        var bytes = Bytes(response);

        Assert.Multiple(() =>
        {
            Assert.That(Outcome([bytes], toHead: false, fin: false).Result, Is.EqualTo(ParseResult.More));
            Assert.That(
                Outcome([bytes], toHead: false, fin: true),
                Is.EqualTo(new Found(ParseResult.Response, status, closes, ResponseFault.None, bytes.Length)));
        });
    }

    [TestCaseSource(nameof(_bad))]
    public void Parse_WhatOthersCouldReadDifferently_IsBad(string response, ResponseFault fault)
    {
        var outcome = Outcome([Bytes(response)], toHead: false, fin: false);

        Assert.That((outcome.Result, outcome.Fault), Is.EqualTo((ParseResult.Bad, fault)));
    }

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\n\r\n")]
    [TestCase("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")]
    public void Parse_ToHead_HasNoBodyWhateverItSays(string response)
    {
        var bytes = Bytes(response + Ok);

        Assert.That(
            Outcome([bytes], toHead: true, fin: false),
            Is.EqualTo(new Found(ParseResult.Response, 200, false, ResponseFault.None, bytes.Length - Ok.Length)));
    }

    [Test]
    public void End_AnywhereInAResponseWithALength_IsTruncated() =>
        Assert.Multiple(() =>
        {
            foreach (var response in _good.Select(data => Bytes((string)data.Arguments[0]!)))
            {
                for (var length = 0; length < response.Length; length++)
                {
                    var outcome = Outcome([response[..length]], toHead: false, fin: true);
                    Assert.That((outcome.Result, outcome.Fault), Is.EqualTo((ParseResult.Bad, ResponseFault.Truncated)), $"{length} bytes");
                }
            }
        });

    [Test]
    public void Parse_AfterTheResponse_IsUnasked()
    {
        var parser = new ResponseParser();
        parser.Parse(Bytes(Ok), out _);

        Assert.Multiple(() =>
        {
            Assert.That(parser.Parse("H"u8, out _), Is.EqualTo(ParseResult.Bad));
            Assert.That(parser.Fault, Is.EqualTo(ResponseFault.Unasked));
        });
    }

    [Test]
    public void Expect_AfterAnything_BeginsAfresh() =>
        Gen.OneOf([.. All.Select(Gen.Const)]).SelectMany(response => Gen.Int[0, response.Length].Select(length => response[..length])).Sample(begun =>
        {
            var parser = new ResponseParser();
            parser.Parse(Bytes(begun), out _);
            parser.Expect(toHead: false);

            return !parser.HasBegun && parser.Parse(Bytes(Ok), out var used) == ParseResult.Response && used == Ok.Length && parser.Status == 200;
        });

    [Test]
    public void Parse_EverySplitInTwo_GivesTheSame() =>
        Assert.Multiple(() =>
        {
            foreach (var bytes in All.Select(Bytes))
            {
                var whole = Outcome([bytes], toHead: false, fin: true);
                for (var at = 0; at <= bytes.Length; at++)
                    Assert.That(Outcome([bytes[..at], bytes[at..]], toHead: false, fin: true), Is.EqualTo(whole), $"cut at {at}");
            }
        });

    [Test]
    public void Parse_AnySplitOfAnyExampleOrASpoiltOne_GivesTheSame() =>
        Gen.Select(Spoilt, Gen.Bool, Gen.Bool, Gen.Int[1, 30].Array[1, 60]).Sample((bytes, toHead, fin, cuts) =>
            Outcome(Cut(bytes, cuts), toHead, fin) == Outcome([bytes], toHead, fin));

    [Test]
    public void Parse_AnyBytes_NeverThrowsAndAlwaysGetsOn() =>
        Gen.Select(
            Gen.OneOf(Gen.Byte, Gen.OneOf([.. Bytes("HTTP/1.0 2:\r\n\t close,5;").Select(Gen.Const)])).Array[0, 400],
            Gen.Int[1, 40].Array[1, 20]).Sample((bytes, cuts) =>
            {
                var prefixed = Bytes("HTTP/1.1 200 OK\r\n").Concat(bytes).ToArray();
                return Outcome(Cut(prefixed, cuts), toHead: false, fin: true) == Outcome([prefixed], toHead: false, fin: true);
            });

    [TestCase("HTTP/1.1 200 ", 'a')]
    [TestCase("HTTP/1.1 200 OK\r\nX: ", 'a')]
    [TestCase("HTTP/1.1 200 OK\r\nX", 'a')]
    [TestCase("HTTP/1.1 200 OK\r\nConnection: ", ',')]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: ", ' ')]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", 'a')]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", ' ')]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", 'a')]
    public void Parse_WithoutEnd_IsTooLongAndNeverMore(string begin, char rest)
    {
        var bytes = Bytes(begin + new string(rest, 10 * 1024 * 1024));
        var outcome = Outcome(Cut(bytes, [16_384]), toHead: false, fin: false);

        Assert.Multiple(() =>
        {
            Assert.That((outcome.Result, outcome.Fault), Is.EqualTo((ParseResult.Bad, ResponseFault.TooLong)));
            Assert.That(outcome.Used, Is.LessThan(ResponseParser.LongestHead + begin.Length + 16_384));
        });
    }

    [TestCase("HTTP/1.1 100 Continue\r\n\r\n")]
    [TestCase("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")]
    public void Parse_InterimResponsesWithoutEnd_AreTooLong(string interim)
    {
        var outcome = Outcome(Cut(Bytes(string.Concat(Enumerable.Repeat(interim, 10_000))), [4096]), toHead: false, fin: false);

        Assert.That((outcome.Result, outcome.Fault), Is.EqualTo((ParseResult.Bad, ResponseFault.TooLong)));
    }

    [Test]
    public void Parse_ManySmallChunks_AreNoLongHead()
    {
        var bytes = Bytes(Chunked(string.Concat(Enumerable.Repeat("1\r\na\r\n", 100_000)) + "0\r\n\r\n"));

        Assert.That(Outcome(Cut(bytes, [1000]), toHead: false, fin: false).Result, Is.EqualTo(ParseResult.Response));
    }

    [Test]
    public void Parse_ALongBody_IsCountedNotKept()
    {
        var parser = new ResponseParser();
        parser.Parse(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n"), out _);
        var block = new byte[1_000_000];
        var results = Enumerable.Range(0, 5000).Select(_ => parser.Parse(block, out var used) == ParseResult.Response || used != block.Length).ToList();

        Assert.That(results.IndexOf(true), Is.EqualTo(4999));
    }

    [Test]
    public void Parse_InSteadyState_AllocatesNothing()
    {
        var responses = All.Select(Bytes).ToArray();
        var parser = new ResponseParser();
        var before = 0L;
        for (var round = 0; round < 200; round++)
        {
            if (round == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var response in responses)
            {
                parser.Expect(toHead: false);
                parser.Parse(response.AsSpan(0, response.Length / 2), out _);
                parser.Parse(response.AsSpan(response.Length / 2), out _);
                parser.End();
            }
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static IEnumerable<string> All => _good.Concat(_untilFin).Concat(_bad).Select(data => (string)data.Arguments[0]!);

    private static Gen<byte[]> Spoilt =>
        Gen.Select(
            Gen.OneOf([.. All.Select(Gen.Const)]),
            Gen.Select(Gen.Int[0, 200], Gen.OneOf([.. Bytes("\0\r\n \t:;,aA0159~").Select(Gen.Const)]), Gen.Int[0, 2]).Array[0, 3],
            (text, edits) =>
            {
                var bytes = Bytes(text + Ok).ToList();
                foreach (var (at, value, kind) in edits)
                {
                    var place = at % bytes.Count;
                    if (kind == 0)
                        bytes[place] = value;
                    else if (kind == 1)
                        bytes.Insert(place, value);
                    else
                        bytes.RemoveAt(place);
                }

                return bytes.ToArray();
            });

    private static TestCaseData Good(string response, int status, bool closes = false) => new(response, status, closes);

    private static TestCaseData Bad(string response, ResponseFault fault) => new(response, fault);

    private static string Chunked(string body) => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body;

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private static IEnumerable<byte[]> Cut(byte[] bytes, int[] cuts)
    {
        for (int at = 0, i = 0; at < bytes.Length; i++)
        {
            var end = Math.Min(bytes.Length, at + cuts[i % cuts.Length]);
            yield return bytes[at..end];
            at = end;
        }
    }

    /// <summary>What becomes of pieces that come one after the other, with the peer's FIN behind them or not.</summary>
    private static Found Outcome(IEnumerable<byte[]> pieces, bool toHead, bool fin)
    {
        var parser = new ResponseParser();
        parser.Expect(toHead);
        var total = 0;
        foreach (var piece in pieces)
        {
            var result = parser.Parse(piece, out var used);
            total += used;
            if (result == ParseResult.More && used != piece.Length)
                throw new InvalidOperationException("the parser stands still");
            if (result != ParseResult.More)
                return new(result, parser.Status, parser.Closes, parser.Fault, result == ParseResult.Response ? total : 0);
        }

        var end = fin ? parser.End() : ParseResult.More;
        return new(end, parser.Status, parser.Closes, parser.Fault, total);
    }

    private sealed record Found(ParseResult Result, int Status, bool Closes, ResponseFault Fault, int Used);
}
