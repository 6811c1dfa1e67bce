using CsCheck;
using LoadHarness.Agent.Workloads.Http;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Workloads.Http;

/// <content>Heads that are known change nothing but the time it takes.</content>
public sealed partial class ResponseParserTests
{
    [Test]
    public void KnownHead_AnyResponsesOneAfterTheOther_IsAsWithoutIt() =>
        Gen.Select(Gen.OneOf(Spoilt, Gen.OneOf([.. All.Select(Bytes).Select(Gen.Const)])).Array[1, 4], Gen.Int[0, 3].Array[1, 12], Gen.Int[1, 80].Array[1, 20], Gen.Bool)
            .Sample((responses, order, cuts, toHead) =>
            {
                var known = new KnownHead();
                return order.Select(i => responses[i % responses.Length])
                    .All(bytes => Outcome(Cut(bytes, cuts), toHead, fin: true, known) == Outcome(Cut(bytes, cuts), toHead, fin: true));
            });

    [Test]
    public void KnownHead_OneSeenBefore_IsFoundWithOtherBodies()
    {
        var known = new KnownHead();
        var bodies = new[] { "aaaa", "\r\n\r\n", "HTTP" };

        Assert.That(
            bodies.Select(b => Outcome([Bytes($"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{b}HTTP/1.1 ")], toHead: false, fin: false, known)),
            Has.All.EqualTo(new Found(ParseResult.Response, 200, false, ResponseFault.None, 42)));
    }
}
