using System.Text;
using CsCheck;
using LoadHarness.Agent.Workloads.Http;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Workloads.Http;

public sealed partial class ResponseParserTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

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
    private static Found Outcome(IEnumerable<byte[]> pieces, bool toHead, bool fin, KnownHead? known = null)
    {
        var parser = new ResponseParser();
        parser.Expect(toHead);
        var total = 0;
        foreach (var piece in pieces)
        {
            var used = 0;
            var result = known?.Parse(ref parser, piece, out used) ?? parser.Parse(piece, out used);
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
