using System.Net;
using System.Text;
using LoadHarness.Agent.Workloads.Http;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Workloads.Http;

public sealed class RequestTextTests
{
    [Test]
    public void For_AGet_HasHostAndFieldsAndNoLength()
    {
        var text = new RequestText("GET", "/a?b=c", [("Accept", "*/*"), ("X-Latin", "caf\u00e9")], default);

        Assert.That(text.Problem, Is.Null);
        Assert.That(
            Encoding.Latin1.GetString(text.For("example:8080")),
            Is.EqualTo("GET /a?b=c HTTP/1.1\r\nHost: example:8080\r\nAccept: */*\r\nX-Latin: caf\u00e9\r\n\r\n"));
    }

    [TestCase("POST")]
    [TestCase("PUT")]
    [TestCase("PATCH")]
    public void For_AMethodThatUsuallyHasABody_SaysThatItHasNone(string method) =>
        Assert.That(Encoding.Latin1.GetString(new RequestText(method, "/", [], default).For("h")), Does.EndWith("\r\nContent-Length: 0\r\n\r\n"));

    [Test]
    public void For_ABody_EndsWithItsBytes()
    {
        var body = new byte[] { 0, 255, 13, 10 };
        var request = new RequestText("DELETE", "/", [], body).For("h");

        Assert.That(Encoding.Latin1.GetString(request.AsSpan(0, request.Length - 4)), Does.EndWith("\r\nContent-Length: 4\r\n\r\n"));
        Assert.That(request[^4..], Is.EqualTo(body));
    }

    [TestCase("GET ", "/", "X", "v", "method")]
    [TestCase("", "/", "X", "v", "method")]
    [TestCase("CONNECT", "/", "X", "v", "method")]
    [TestCase("GET", "", "X", "v", "path")]
    [TestCase("GET", "a", "X", "v", "path")]
    [TestCase("GET", "http://example/", "X", "v", "path")]
    [TestCase("GET", "/a b", "X", "v", "path")]
    [TestCase("GET", "/a\r\nX: y", "X", "v", "path")]
    [TestCase("GET", "/\u00e9", "X", "v", "path")]
    [TestCase("GET", "/", "X Y", "v", "fields[0].name")]
    [TestCase("GET", "/", "X:", "v", "fields[0].name")]
    [TestCase("GET", "/", "", "v", "fields[0].name")]
    [TestCase("GET", "/", "host", "v", "fields[0].name")]
    [TestCase("GET", "/", "Content-length", "v", "fields[0].name")]
    [TestCase("GET", "/", "TRANSFER-ENCODING", "v", "fields[0].name")]
    [TestCase("GET", "/", "Connection", "v", "fields[0].name")]
    [TestCase("GET", "/", "X", "v\r\nHost: other", "fields[0].value")]
    [TestCase("GET", "/", "X", "\0", "fields[0].value")]
    [TestCase("GET", "/", "X", "\u4e16", "fields[0].value")]
    public void Problem_OfWhatWouldBeReadOtherwise_NamesItsField(string method, string path, string name, string value, string field) =>
        Assert.That(new RequestText(method, path, [(name, value)], default).Problem?.Field, Is.EqualTo(field));

    [TestCase("OPTIONS", "*")]
    [TestCase("M-SEARCH", "/%20?q=\"<>\"")]
    public void Problem_OfWhatCanBeSent_IsNone(string method, string path) =>
        Assert.That(new RequestText(method, path, [("X-1", "a\tb"), ("Y", "")], default).Problem, Is.Null);

    [TestCase(null, "10.0.0.5", 80, false, "10.0.0.5")]
    [TestCase(null, "10.0.0.5", 443, false, "10.0.0.5:443")]
    [TestCase(null, "10.0.0.5", 443, true, "10.0.0.5")]
    [TestCase(null, "2001:db8::1", 8443, true, "[2001:db8::1]:8443")]
    [TestCase("example", "10.0.0.5", 80, false, "example")]
    [TestCase("example", "10.0.0.5", 80, true, "example:80")]
    public void HostOf_ATarget_HasItsPortUnlessItIsTheSchemes(string? name, string address, int port, bool tls, string host) =>
        Assert.That(RequestText.HostOf(name, IpAddress.From(IPAddress.Parse(address)), port, tls), Is.EqualTo(host));

    [TestCase("example", true)]
    [TestCase("[::1]:8080", true)]
    [TestCase("", false)]
    [TestCase("a b", false)]
    [TestCase("a\r\nX: y", false)]
    [TestCase("\u00e9", false)]
    public void IsHost_OnlyVisibleAscii(string text, bool isHost) => Assert.That(RequestText.IsHost(text), Is.EqualTo(isHost));

    [Test]
    public void IsHost_LongerThanAnyNameWithItsPort_IsNone() =>
        Assert.That((RequestText.IsHost(new string('a', 261)), RequestText.IsHost(new string('a', 262))), Is.EqualTo((true, false)));
}
