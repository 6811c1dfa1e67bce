using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadHarness.Agent.Backend;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.Agent.Tests.Backend;

/// <summary>The backend's HTTP side over real sockets.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class HttpResponderTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789";
    private const string Close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    private const string OkHead = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n";
    private const string Ok = OkHead + "ok\n";
    private const string OkClose = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
    private const string BadRequest = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    private BackendServer _backend = null!;
    private IPEndPoint _endpoint = null!;
    private Socket _client = null!;

    [SetUp]
    public void SetUp()
    {
        _endpoint = new IPEndPoint(LoopbackAddress.Next(), 7400);
        _backend = new BackendServer(new BackendOptions { Listen = [(IpAddress.From(_endpoint.Address), _endpoint.Port)], Http = true, Reactors = 1 });
        _backend.Start();
        _client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 60_000, SendTimeout = 60_000, NoDelay = true };
        _client.Connect(_endpoint);
    }

    [TearDown]
    public void TearDown()
    {
        _client.Dispose();
        _backend.Dispose();
    }

    [Test]
    public void Serve_PipelinedRequests_AreAnsweredInTheirOrder()
    {
        Send(string.Concat(Enumerable.Repeat(Get + Head + Post, 500)) + Close);

        Assert.That(ReadToEnd(), Is.EqualTo(string.Concat(Enumerable.Repeat(Ok + OkHead + Ok, 500)) + OkClose));
        Assert.That(() => _backend.Counts, Has.Property("Requests").EqualTo(1501).After(60_000, 20));
        Assert.That(() => _backend.Counts.Established, Is.Zero.After(60_000, 20));
    }

    [Test]
    public void Serve_RequestInSingleBytes_IsAnsweredOnce()
    {
        foreach (var b in Encoding.ASCII.GetBytes(Post + Close))
            _client.Send([b]);

        Assert.That(ReadToEnd(), Is.EqualTo(Ok + OkClose));
    }

    [Test]
    public void Serve_OldVersion_IsAnsweredAndClosed()
    {
        Send("GET / HTTP/1.0\r\n\r\n");

        Assert.That(ReadToEnd(), Is.EqualTo(OkClose));
    }

    [Test]
    public void Serve_HeadThatCloses_HasNoBody()
    {
        Send("HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n");

        Assert.That(ReadToEnd(), Does.EndWith("Connection: close\r\n\r\n"));
    }

    [Test]
    public void Serve_WhatIsNoRequest_IsToldSoAndClosedInOrder()
    {
        // More than is read before the answer: nothing may be left unread, or RST would overtake the answer.
        Send(Get + "nonsense\r\n" + new string('x', 20_000));

        Assert.That(ReadToEnd(), Is.EqualTo(Ok + BadRequest));
    }

    [TestCase("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", TestName = "{m}(chunked)")]
    [TestCase("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", TestName = "{m}(two lengths)")]
    [TestCase("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nabcd", TestName = "{m}(too long a body)")]
    [TestCase("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", TestName = "{m}(HTTP/2)")]
    [TestCase("\u0016\u0003\u0001\u0002\0", TestName = "{m}(TLS)")]
    public void Serve_WhatItDoesNotRead_IsToldSoAndClosedInOrder(string request)
    {
        Send(Get + request + Get);

        Assert.That(ReadToEnd(), Is.EqualTo(Ok + BadRequest));
        Assert.That(() => _backend.Counts.Established, Is.Zero.After(60_000, 20));
    }

    [TestCase("GET / HTTP/1.1\r\nX: ")]
    [TestCase("GET /")]
    public void Serve_HeadLongerThanItsBound_IsToldSoAndClosedInOrder(string begin)
    {
        Send(Get + begin + new string('x', RequestScanner.LongestHead));

        Assert.That(ReadToEnd(), Is.EqualTo(Ok + BadRequest));
    }

    [Test]
    public void Serve_HalfARequest_WaitsForTheOtherHalf()
    {
        Send(Get + Post[..40]);
        var first = new byte[Ok.Length];
        for (var read = 0; read < first.Length;)
            read += _client.Receive(first.AsSpan(read));
        Assert.That(_client.Poll(100_000, SelectMode.SelectRead), Is.False, "nothing more is due");

        Send(Post[40..] + Close);

        Assert.That(Encoding.Latin1.GetString(first) + ReadToEnd(), Is.EqualTo(Ok + Ok + OkClose));
    }

    [Test]
    public void Serve_RequestsAfterTheLastOne_AreNotAnswered()
    {
        Send(Get + Close + Get + Get);

        Assert.That(ReadToEnd(), Is.EqualTo(Ok + OkClose));
    }

    [Test]
    public void Serve_ClientClosesItsSideAfterTheRequest_IsStillAnswered()
    {
        Send(Get + Get);
        _client.Shutdown(SocketShutdown.Send);

        Assert.That(ReadToEnd(), Is.EqualTo(Ok + Ok));
    }

    [Test]
    public void Serve_ClientThatDoesNotRead_IsReadNoFurtherAndGetsEveryAnswerInTheEnd()
    {
        // Answers are longer than the requests: they stop first. Then the requests do, and the client is held up.
        var batch = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(Get, 100)) + Head);
        _client.Blocking = false;
        _client.SendBufferSize = 64 * 1024;
        var (sent, idle) = (0L, 0);
        while (idle < 20)
        {
            var at = (int)(sent % batch.Length);
            var taken = _client.Send(batch, at, batch.Length - at, SocketFlags.None, out var error);
            Assert.That(error, Is.EqualTo(SocketError.Success).Or.EqualTo(SocketError.WouldBlock));
            sent += error == SocketError.Success ? taken : 0;
            idle = error == SocketError.Success ? 0 : idle + 1;
            if (idle > 0)
                Thread.Sleep(20);
        }

        var answered = _backend.Counts.Requests;
        _client.Blocking = true;
        var rest = batch[(int)(sent % batch.Length)..];
        var batches = (sent + rest.Length) / batch.Length;
        var sender = new Thread(() =>
        {
            _client.Send(rest);
            _client.Send(Encoding.ASCII.GetBytes(Close));
        });
        sender.Start();
        var (length, wrong) = Compare(batches);
        sender.Join();

        Assert.Multiple(() =>
        {
            Assert.That(sent, Is.GreaterThan(100_000));
            Assert.That(answered, Is.LessThan(batches * 101), "requests are not read while answers wait");
            Assert.That(wrong, Is.EqualTo(-1), "the first byte that is not the one expected");
            Assert.That(length, Is.EqualTo((batches * ((100 * Ok.Length) + OkHead.Length)) + OkClose.Length));
        });
    }

    [Test]
    public void Serve_ClientResetsWhileAnswersWait_IsForgotten()
    {
        _client.Blocking = false;
        var batch = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(Get, 1000)));
        for (var i = 0; i < 500; i++)
            _client.Send(batch, 0, batch.Length, SocketFlags.None, out _);

        _client.Close(0);

        Assert.That(() => _backend.Counts, Has.Property("Established").EqualTo(0).And.Property("Closed").EqualTo(1).After(60_000, 20));
    }

    [Test]
    public void Dispose_WhileAnswersWait_Returns()
    {
        _client.Blocking = false;
        var batch = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(Get, 1000)));
        for (var i = 0; i < 500; i++)
            _client.Send(batch, 0, batch.Length, SocketFlags.None, out _);

        Assert.That(_backend.Dispose, Throws.Nothing);
    }

    private void Send(string text) => _client.Send(Encoding.Latin1.GetBytes(text));

    private string ReadToEnd()
    {
        using var stream = new MemoryStream();
        var buffer = new byte[64 * 1024];
        for (var read = _client.Receive(buffer); read > 0; read = _client.Receive(buffer))
            stream.Write(buffer, 0, read);
        return Encoding.Latin1.GetString(stream.ToArray());
    }

    /// <summary>Reads to the end and holds it against the answers to whole batches and the last request.</summary>
    /// <returns>How much came, and where it first differs; -1 when it does not.</returns>
    private (long Length, long Wrong) Compare(long batches)
    {
        var one = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(Ok, 100)) + OkHead);
        var last = Encoding.ASCII.GetBytes(OkClose);
        var buffer = new byte[64 * 1024];
        var (length, wrong) = (0L, -1L);
        for (var read = _client.Receive(buffer); read > 0; read = _client.Receive(buffer))
        {
            for (var i = 0; i < read; i++, length++)
            {
                var expected = length < batches * one.Length ? one[length % one.Length] : last[Math.Min(last.Length - 1, length - (batches * one.Length))];
                if (buffer[i] != expected && wrong < 0)
                    wrong = length;
            }
        }

        return (length, wrong);
    }
}
