using System.Text;
using CsCheck;
using LoadHarness.Agent.Backend;

namespace LoadHarness.Agent.Tests.Backend;

public sealed class RequestScannerTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    private static readonly string[] _good =
    [
        Get,
        "GET / HTTP/1.0\r\n\r\n",
        "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\ncontent-LENGTH:\t12 \t\r\n\r\nGET / HTTP/1",
        "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: keep-alive, Close \r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection:close\r\n\r\n",
        "GET / HTTP/1.1\r\nX-Content-Length: 99\r\nConnections: close\r\nTransfer-Encodings: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nX: Content-Length: 99\r\nEmpty:\r\n\r\n",
        "OPTIONS * HTTP/1.9\r\n\r\n",
    ];

    private static readonly string[] _bad =
    [
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\ntransfer-encoding: identity\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: 1 2\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 4294967301\r\n\r\nhello",
        "POST / HTTP/1.1\r\nContent-Length: 1\r2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
        "GET / HTTP/1.1\r\n: nameless\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / ABCDEF.1\r\n\r\n",
        "get / HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u0016\u0003\u0001",
    ];

    [TestCaseSource(nameof(_good))]
    public void Scan_AWholeRequest_IsFoundToItsLastByte(string request)
    {
        var scanner = new RequestScanner();
        var bytes = Bytes(request);

        Assert.Multiple(() =>
        {
            Assert.That(scanner.Scan(bytes, out var used), Is.EqualTo(ScanResult.Request));
            Assert.That(used, Is.EqualTo(bytes.Length));
        });
    }

    [TestCaseSource(nameof(_bad))]
    public void Scan_WhatOthersCouldReadDifferently_IsBad(string request) =>
        Assert.That(Results([Bytes(request)]), Has.Some.EqualTo(ScanResult.Bad));

    [TestCase("GET / HTTP/1.1\r\n\r\n", false)]
    [TestCase("GET / HTTP/1.0\r\n\r\n", true)]
    [TestCase("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true)]
    [TestCase("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", true)]
    [TestCase("GET / HTTP/1.1\r\nconnection: CLOSE\r\n\r\n", true)]
    [TestCase("GET / HTTP/1.1\r\nConnection: close, TE\r\n\r\n", true)]
    [TestCase("GET / HTTP/1.1\r\nConnection: TE\t,\tclose\t\r\n\r\n", true)]
    [TestCase("GET / HTTP/1.1\r\nConnection: closed\r\n\r\n", false)]
    [TestCase("GET / HTTP/1.1\r\nConnection: disclose\r\n\r\n", false)]
    [TestCase("GET / HTTP/1.1\r\nConnection: clo se\r\n\r\n", false)]
    [TestCase("GET / HTTP/1.1\r\nConnection: close d\r\n\r\n", false)]
    [TestCase("GET / HTTP/1.1\r\nProxy-Connection: close\r\n\r\n", false)]
    [TestCase("GET /Connection:close HTTP/1.1\r\nX: close\r\n\r\n", false)]
    public void Closes_AfterARequest_IsWhatItAskedFor(string request, bool closes)
    {
        var scanner = new RequestScanner();
        scanner.Scan(Bytes(request), out _);

        Assert.That(scanner.Closes, Is.EqualTo(closes));
    }

    [Test]
    public void IsHead_AfterHead_ThenGet_ChangesWithTheRequest()
    {
        var scanner = new RequestScanner();
        var bytes = Bytes("HEAD / HTTP/1.1\r\n\r\n" + Get);
        scanner.Scan(bytes, out var used);
        var first = scanner.IsHead;
        scanner.Scan(bytes.AsSpan(used), out _);

        Assert.That((first, scanner.IsHead), Is.EqualTo((true, false)));
    }

    [Test]
    public void Scan_AnySplitOfAnyExamples_GivesTheSame() =>
        Gen.Select(Gen.OneOf([.. _good.Concat(_bad).Select(Gen.Const)]).Array[1, 4], Gen.Int[1, 40].Array[1, 60]).Sample((requests, cuts) =>
        {
            var bytes = Bytes(string.Concat(requests));
            return Results(Cut(bytes, cuts)).SequenceEqual(Results([bytes]));
        });

    [TestCaseSource(nameof(_good))]
    [TestCaseSource(nameof(_bad))]
    public void Scan_EverySplitInTwo_GivesTheSame(string request)
    {
        var bytes = Bytes(request + Get);
        var whole = Results([bytes]);

        Assert.That(
            Enumerable.Range(0, bytes.Length + 1).Select(at => Results([bytes[..at], bytes[at..]])),
            Has.All.EqualTo(whole));
    }

    [Test]
    public void Scan_PipelinedRequests_AreFoundOneByOne() =>
        Assert.That(
            Results([Bytes(string.Concat(_good))]),
            Is.EqualTo(Enumerable.Repeat(ScanResult.Request, _good.Length)));

    [Test]
    public void Scan_BodyThatLooksLikeARequest_IsNotScanned()
    {
        var inner = string.Concat(Enumerable.Repeat(Get, 100));

        Assert.That(
            Results([Bytes($"POST / HTTP/1.1\r\nContent-Length: {inner.Length}\r\n\r\n{inner}{Get}")]),
            Is.EqualTo(new[] { ScanResult.Request, ScanResult.Request }));
    }

    [TestCase("GET / HTTP/1.1\r\nX: ")]
    [TestCase("GET /")]
    [TestCase("GET / HTTP/1.1\r\nX")]
    public void Scan_HeadWithoutEnd_IsBadAtItsBound(string begin)
    {
        var scanner = new RequestScanner();
        var bytes = Bytes(begin + new string('a', RequestScanner.LongestHead));

        var result = scanner.Scan(bytes, out var used);

        Assert.Multiple(() =>
        {
            Assert.That(result, Is.EqualTo(ScanResult.Bad));
            Assert.That(used, Is.EqualTo(RequestScanner.LongestHead));
        });
    }

    [Test]
    public void Scan_ManyHeadsInARow_AreBoundedEachForItself() =>
        Assert.That(
            Results([Bytes(string.Concat(Enumerable.Repeat($"GET / HTTP/1.1\r\nX: {new string('a', 60_000)}\r\n\r\n", 3)))]),
            Is.EqualTo(Enumerable.Repeat(ScanResult.Request, 3)));

    [Test]
    public void Scan_AnyBytes_NeverThrowsAndAlwaysGetsOn() =>
        Gen.Select(Gen.OneOf(Gen.Byte, Gen.OneOf([.. Bytes("GET HTTP/1.0:\r\n\t close,5").Select(Gen.Const)]))
            .Array[0, 400], Gen.Int[1, 40].Array[1, 20]).Sample((bytes, cuts) => Results(Cut(bytes, cuts)).Count() <= bytes.Length + 1);

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

    /// <summary>What is found in pieces that come one after the other, up to the first that is bad.</summary>
    private static List<ScanResult> Results(IEnumerable<byte[]> pieces)
    {
        var scanner = new RequestScanner();
        var results = new List<ScanResult>();
        foreach (var piece in pieces)
        {
            var rest = piece.AsSpan();
            while (rest.Length > 0)
            {
                var result = scanner.Scan(rest, out var used);
                if (used == 0)
                    throw new InvalidOperationException("the scanner stands still");
                rest = rest[used..];
                if (result == ScanResult.More)
                    break;
                results.Add(result);
                if (result == ScanResult.Bad)
                    return results;
            }
        }

        return results;
    }
}
