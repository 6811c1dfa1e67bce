using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Aggregation.Samples;

namespace LoadHarness.Coordinator.Tests.Aggregation;

public class KernelNotesTests
{
    private static readonly TcpCounterValues _before = new(1000, 2000, 3000, 4000, 5000, 6000);

    private static SummaryInput Counting(TcpCounterValues during, long timeWait = 0) => SummaryFixture.Input(Counted("a0", "ns1", during, timeWait));

    private static Timeline Counted(string agent, string network, TcpCounterValues during, long timeWait = 0)
    {
        var timeline = SummaryFixture.Steady();
        timeline.Add(Of(agent, 1001, 0, 1) with { NetworkNamespace = network, Kernel = Reading(0.5, 1, timeWait) with { Counters = _before } });
        timeline.Add(Of(agent, 1002, 38, 39) with { NetworkNamespace = network, Kernel = Reading(38.5, 1) with { Counters = _before + during } });
        return timeline;
    }

    [Test]
    public void Of_NothingDuringTheRun_IsEmpty() => Assert.That(KernelNotes.Of(Counting(TcpCounterValues.Zero)), Is.Empty);

    [Test]
    public void Of_EachCounter_SaysWhatToDo()
    {
        Assert.That(KernelNotes.Of(Counting(TcpCounterValues.Zero with { ListenOverflows = 7, ListenDrops = 9 })),
            Does.Contain("full 7 times (ListenOverflows)").And.Contain("net.core.somaxconn").And.Contain("clients' hosts")
                .And.Contain("2 more connections (ListenDrops)"));
        Assert.That(KernelNotes.Of(Counting(TcpCounterValues.Zero with { AbortOnMemory = 12 })),
            Does.Contain("reset 12 sockets").And.Contain("net.ipv4.tcp_max_orphans"));
        Assert.That(KernelNotes.Of(Counting(TcpCounterValues.Zero with { TimeWaitOverflow = 13 })),
            Does.Contain("TCPTimeWaitOverflow 13").And.Contain("net.ipv4.tcp_max_tw_buckets"));
    }

    [TestCase(10, false)]
    [TestCase(11, true)]
    public void Of_SynsSentAgain_CountOnlyBeyondOneInAThousand(long retransmits, bool said) =>
        Assert.That(KernelNotes.Of(Counting(TcpCounterValues.Zero with { SynRetransmits = retransmits })),
            said ? Does.Contain("sent again 11 times") : Is.Empty, "10,000 connects were offered");

    [Test]
    public void Of_BackendThatOverflows_NamesItsHosts()
    {
        var backends = new BackendTimeline(TimeSpan.FromHours(1));
        backends.Add(Of("b0", 1, 0, 1) with { NetworkNamespace = "ns9", Kernel = Reading(0.5, 1) with { Counters = _before } });
        backends.Add(Of("b0", 2, 1, 2) with
        {
            NetworkNamespace = "ns9",
            Kernel = new() { TakenAt = At(1.5), NamespaceOnly = true, Counters = _before with { ListenOverflows = 1005, ListenDrops = 2005 } },
        });
        var input = Counting(TcpCounterValues.Zero with { ListenOverflows = 7 }) with { Backends = backends };
        Assert.That(KernelNotes.Of(input), Does.Contain("the backends' hosts were full 5 times").And.Not.Contain("clients"));
    }

    [Test]
    public void Of_TimeWaitThatWasThereAtFirst_MayBeAnEarlierRuns() =>
        Assert.That(KernelNotes.Of(Counting(TcpCounterValues.Zero, timeWait: 500)), Does.Contain("500 of timeWait may be an earlier run's"));

    [Test]
    public void StatesBehind_HalfClosed_SaysWhoClosed()
    {
        var reading = Reading(1, 10) with
        {
            States = ImmutableDictionary<TcpState, long>.Empty.Add(TcpState.CloseWait, 4).Add(TcpState.FinWait2, 5).Add(TcpState.SynSent, 6),
        };
        Assert.That(KernelNotes.StatesBehind(HostView.Sum([reading], [])),
            Is.EqualTo("4 were in CLOSE-WAIT: the target had closed them. 6 were in SYN-SENT: on their way, and in neither count. "
                + "5 waited for the target's FIN."));
    }
}
