using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using LoadHarness.EndToEnd.Tests.Benches;

namespace LoadHarness.EndToEnd.Tests.Backend;

[Parallelizable(ParallelScope.All)]
public sealed partial class HttpBackendTests : BenchTest
{
    private const string Where = "127.0.0.1:9080";

    [Test]
    public async Task Http_CurlTwiceInOneCommand_AnswersBothOnOneConnection()
    {
        await Bench.BackendAsync(Where, "--http");

        var said = Bench.Namespace.Exec("curl", "-sS", "-v", "--stderr", "-", $"http://{Where}/one", $"http://{Where}/two");

        Assert.That(Regex.Count(said, "< HTTP/1.1 200"), Is.EqualTo(2), said);
        Assert.That(said, Does.Contain("Re-using existing connection"));
    }

    [Test]
    public async Task Http_CurlHead_AnswersWithoutBody()
    {
        await Bench.BackendAsync(Where, "--http");

        var said = Bench.Namespace.Exec("curl", "-sS", "--head", $"http://{Where}/");

        Assert.That(said, Does.StartWith("HTTP/1.1 200"));
    }

    [Test]
    public async Task Http_PipelinedRequestsInPieces_AnswersEachInOrder()
    {
        await Bench.BackendAsync(Where, "--http");
        using var socket = Connect();
        var requests = string.Concat(Enumerable.Range(0, 200).Select(i => $"GET /{i} HTTP/1.1\r\nHost: here\r\n\r\n"));

        // Pieces that end in the middle of lines, whatever their length.
        var bytes = Encoding.ASCII.GetBytes(requests);
        for (var sent = 0; sent < bytes.Length;)
            sent += socket.Send(bytes.AsSpan(sent, Math.Min(317, bytes.Length - sent)));
        socket.Shutdown(SocketShutdown.Send);
        var answers = ReadAll(socket);

        Assert.That(AnswerStart().Count(answers), Is.EqualTo(200));
    }

    [Test]
    public async Task Http_AskedToClose_ClosesAfterTheAnswersBefore()
    {
        await Bench.BackendAsync(Where, "--http");
        using var socket = Connect();

        socket.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"u8);
        var answers = ReadAll(socket);

        Assert.That(AnswerStart().Count(answers), Is.EqualTo(3));
        Assert.That(Bodies(answers), Is.EqualTo(new[] { true, false, true }), "the answer to HEAD, the second, has no body and the others have one");
    }

    [Test]
    public async Task Http_NoHttpAtAll_IsRefusedAndOthersGoOn()
    {
        await Bench.BackendAsync(Where, "--http");
        using var socket = Connect();

        socket.Send("\0\u0001\u0002 nonsense\r\n\r\n"u8);
        var answer = ReadAll(socket);

        Assert.That(answer, Does.Not.Contain(" 200 "));
        Assert.That(Bench.Namespace.Exec("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", $"http://{Where}/"), Is.EqualTo("200"));
    }

    [Test]
    public async Task Greet_NewConnection_GetsOneByteAndNoMore()
    {
        await Bench.BackendAsync(Where, "--greet");
        using var socket = Connect();
        var buffer = new byte[16];

        var first = socket.Receive(buffer);
        socket.Shutdown(SocketShutdown.Send);
        var rest = ReadAll(socket);

        Assert.That((first, rest), Is.EqualTo((1, "")));
    }

    private Socket Connect() => Bench.Namespace.Enter(() =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 90_000, SendTimeout = 90_000 };
        socket.Connect(IPEndPoint.Parse(Where));
        return socket;
    });

    private static string ReadAll(Socket socket)
    {
        var all = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (socket.Receive(buffer) is > 0 and var count)
                all.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // An end like any other.
        }

        return all.ToString();
    }

    /// <summary>For each answer whether a body of the stated length follows it.</summary>
    private static List<bool> Bodies(string answers)
    {
        var bodies = new List<bool>();
        while (answers.Length > 0)
        {
            var end = answers.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            var length = int.Parse(ContentLength().Match(answers[..end]).Groups[1].Value, CultureInfo.InvariantCulture);
            var hasBody = !answers[end..].StartsWith("HTTP/", StringComparison.Ordinal) && answers.Length >= end + length && length > 0;
            bodies.Add(hasBody);
            answers = answers[(end + (hasBody ? length : 0))..];
        }

        return bodies;
    }

    [GeneratedRegex("HTTP/1\\.1 200 ")]
    private static partial Regex AnswerStart();

    [GeneratedRegex("content-length: *(\\d+)", RegexOptions.IgnoreCase)]
    private static partial Regex ContentLength();
}
