using LoadHarness.Agent.KernelView;

namespace LoadHarness.Agent.Tests.KernelView;

public class TcpCountersTests
{
    private const string Netstat = """
        TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPTimeWaitOverflow TCPAbortOnMemory TCPSynRetrans
        TcpExt: 9 1 2 3 4 5
        IpExt: InNoRoutes ListenOverflows
        IpExt: 0 77
        """;

    private const string Snmp = """
        Tcp: RtoAlgorithm MaxConn RetransSegs
        Tcp: 1 -1 6
        Udp: RetransSegs
        Udp: 88
        """;

    [Test]
    public void Parse_BothFiles_TakesTheirOwnGroups() =>
        Assert.That(TcpCounters.Parse(Netstat, Snmp), Is.EqualTo(new TcpCounterReading(1, 2, 3, 4, 5, 6)));

    [TestCase("", Snmp)]
    [TestCase(Netstat, "")]
    [TestCase("TcpExt: ListenOverflows\n", Snmp)]
    [TestCase("TcpExt: ListenOverflows ListenDrops\nTcpExt: x 2", Snmp)]
    [TestCase(Netstat, "Tcp: RetransSegs\nTcp:")]
    public void Parse_Broken_IsNull(string netstat, string snmp) => Assert.That(TcpCounters.Parse(netstat, snmp), Is.Null);

    [Test]
    public void Read_ThisKernel_HasThemAll() => Assert.That(TcpCounters.Read(), Is.Not.Null);
}
