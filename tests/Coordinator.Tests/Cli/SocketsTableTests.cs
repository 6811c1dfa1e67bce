using LoadHarness.Coordinator.Cli;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Cli;

public class SocketsTableTests
{
    private static EndpointView Of(string address, int port, params (TcpState, long)[] states) =>
        new(new(IpAddress.From(System.Net.IPAddress.Parse(address)), port), StateCounts.Of(states));

    private static string Table(IReadOnlyCollection<EndpointView> endpoints, int top = 10, int width = 80)
    {
        using var writer = new StringWriter();
        SocketsTable.Write(writer, "source", endpoints, top, width);
        return writer.ToString().ReplaceLineEndings("\n").TrimEnd();
    }

    [Test]
    public void Write_StatesThatOccur_AreColumnsAndTheFullestRowsComeFirst() =>
        Assert.That(Table(
            [
                Of("10.0.0.1", 0, (TcpState.Established, 5)),
                Of("10.0.0.2", 0, (TcpState.Established, 25_000), (TcpState.TimeWait, 30)),
            ]), Is.EqualTo("""
            source    ESTABLISHED  TIME-WAIT   total
            10.0.0.2       25,000         30  25,030
            10.0.0.1            5          0       5
            total          25,005         30  25,035
            """.ReplaceLineEndings("\n")));

    [Test]
    public void Write_MoreThanTheTop_SumsUpTheRest() =>
        Assert.That(Table([.. Enumerable.Range(1, 233).Select(i => Of($"10.0.0.{i}", 0, (TcpState.Established, i)))], top: 3), Is.EqualTo("""
            source        ESTABLISHED   total
            10.0.0.233            233     233
            10.0.0.232            232     232
            10.0.0.231            231     231
            and 230 more       26,565  26,565
            total              27,261  27,261
            """.ReplaceLineEndings("\n")));

    [Test]
    public void Write_EveryStateAndLongAddresses_StaysWithinTheWidth()
    {
        var states = Enumerable.Range(1, 12).Select(s => ((TcpState)s, (long)Math.Pow(3, s))).ToArray();

        var table = Table([Of("fe80:1234:5678:9abc:def0:1234:5678:9abc", 65535, states)]);

        Assert.That(table.Split('\n').Select(l => l.Length), Is.All.LessThanOrEqualTo(80));
        Assert.That(table, Does.Contain("NEW-SYN-RECV").And.Contain("other").And.Contain("797,160"), "the rarest states are one column");
    }

    [Test]
    public void Write_None_SaysSo() => Assert.That(Table([]), Is.EqualTo("no sockets by source"));
}
