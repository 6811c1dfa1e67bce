using LoadHarness.Agent.KernelView;

namespace LoadHarness.Agent.Tests.KernelView;

public class SockstatTests
{
    private const string Text = """
        sockets: used 195
        TCP: inuse 5 orphan 1 tw 2 alloc 7 mem 3
        UDP: inuse 3 mem 2
        """;

    [Test]
    public void Parse_TheKernelsText_TakesTheTcpLine() =>
        Assert.That(Sockstat.Parse(Text), Is.EqualTo(new SockstatReading(5, 1, 2, 7, 3)));

    [Test]
    public void Parse_UnknownNames_ArePassedOver() =>
        Assert.That(Sockstat.Parse("TCP: inuse 5 new 9 orphan 1 tw 2 alloc 7 mem 3\n"), Is.EqualTo(new SockstatReading(5, 1, 2, 7, 3)));

    [TestCase("")]
    [TestCase("UDP: inuse 3 mem 2")]
    [TestCase("TCP: inuse 5 orphan 1 tw 2 alloc 7")]
    [TestCase("TCP: inuse x orphan 1 tw 2 alloc 7 mem 3")]
    [TestCase("TCP: inuse 99999999999999999999 orphan 1 tw 2 alloc 7 mem 3")]
    public void Parse_NotComplete_GivesNothing(string text) => Assert.That(Sockstat.Parse(text), Is.Null);

    [Test]
    public void Read_ThisHost_GivesCounts() => Assert.That(Sockstat.Read()!.Allocated, Is.Positive);
}
