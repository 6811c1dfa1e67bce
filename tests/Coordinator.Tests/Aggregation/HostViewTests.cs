using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Protos;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Aggregation.Samples;
using KernelReading = LoadHarness.Coordinator.Aggregation.KernelReading;

namespace LoadHarness.Coordinator.Tests.Aggregation;

public class HostViewTests
{
    private static AgentSample With(
        KernelReading reading, string network = "ns1", ulong sequence = 1, double from = 0, long established = 100) =>
        Of("a-" + network, sequence, from, from + 1, established) with { Kernel = reading, NetworkNamespace = network };

    private static KernelComparison Compared(double takenAt, long kernel, double wall, params (long Established, long Opened)[] seconds)
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        for (var k = 0; k < seconds.Length; k++)
        {
            var sample = Of("a", (ulong)k + 1, k, k + 1, seconds[k].Established, new CounterValues { Opened = seconds[k].Opened });
            timeline.Add(k == seconds.Length - 1 ? sample with { Kernel = Reading(takenAt, kernel, wall: wall) } : sample);
        }

        timeline.Advance(At(seconds.Length));
        return timeline.Kernel.Between(TimeSpan.Zero, At(100)).Single();
    }

    [Test]
    public void Newest_TwoNamespaces_CountsEachOnce()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Add(With(Reading(0.5, 90)));
        timeline.Add(With(Reading(1.5, 100), sequence: 2, from: 1));
        timeline.Add(With(Reading(0.7, 40), "ns2"));
        var newest = timeline.Kernel.Newest;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(newest[TcpState.Established], Is.EqualTo(140));
            Assert.That(newest.Namespaces, Is.EqualTo(2));
            Assert.That(newest.OldestAt, Is.EqualTo(At(0.7)));
        }
    }

    [Test]
    public void Newest_LateReading_DoesNotReplaceANewerOne()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Add(With(Reading(1.5, 100), sequence: 2, from: 1));
        timeline.Add(With(Reading(0.5, 90)));
        Assert.That(timeline.Kernel.Newest[TcpState.Established], Is.EqualTo(100));
    }

    [Test]
    public void Newest_KernelUnreadable_CarriesTheReasonUntilItCanBeRead()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Add(With(Reading(0.5, 0) with { Error = "sock_diag: EPERM" }));
        var unreadable = timeline.Kernel.Newest;
        timeline.Add(With(Reading(1.5, 7), sequence: 2, from: 1));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(unreadable.Errors, Is.EqualTo(new[] { "sock_diag: EPERM" }));
            Assert.That(unreadable.Namespaces, Is.Zero);
            Assert.That(timeline.Kernel.Newest.Errors, Is.Empty);
        }
    }

    [Test]
    public void Between_SteadyHold_ComparesToTheConnection()
    {
        var comparison = Compared(2.5, 100, 0.2, (100, 100), (100, 0), (100, 0));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(comparison.Own, Is.EqualTo(100));
            Assert.That(comparison.InFlight, Is.Zero);
            Assert.That(comparison.Agrees, Is.True);
        }
    }

    [Test]
    public void Between_SteadyHoldOffByOne_Disagrees() =>
        Assert.That(Compared(2.5, 99, 0.2, (100, 100), (100, 0), (100, 0)).Agrees, Is.False);

    [TestCase(130, true)]
    [TestCase(100, true)]
    [TestCase(400, false)]
    public void Between_WhileOpening_AllowsWhatCameMeanwhile(long kernel, bool agrees) =>
        Assert.That(Compared(1.5, kernel, 0.1, (100, 100), (200, 100)).Agrees, Is.EqualTo(agrees));

    [Test]
    public void Between_LongDump_AllowsWhatCameSinceItBegan() =>
        Assert.That(Compared(2.1, 140, 1.5, (100, 100), (200, 100), (200, 0)).Agrees, Is.True);

    [TestCase(2, 1.5)]
    [TestCase(8, 8.5)]
    public void Between_ReportOfTheNewestMissing_TakesTheOneBeforeUnlessThatIsOld(int second, double takenAt)
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Add(Of("b", 1, 0, 1, 50));
        timeline.Add(Of("b", 2, 1, 2, 50));
        timeline.Add(With(Reading(0.5, 75), sequence: 1, from: 0));
        timeline.Add(With(Reading(1.5, 150), sequence: 2, from: 1));
        timeline.Add(With(Reading(second + 0.5, 150), sequence: 3, from: second));
        timeline.Advance(At(20));
        Assert.That(timeline.Kernel.Between(TimeSpan.Zero, At(100)).Single().Reading.TakenAt, Is.EqualTo(At(takenAt)));
    }

    [TestCase(7, 100)]
    [TestCase(20, 150)]
    public void Between_NamespaceWhoseAgentsHaveLeft_CountsNoMore(double left, long expected)
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        foreach (var (agent, network, share) in new[] { ("a", "ns1", 100), ("b", "ns2", 50) })
        {
            timeline.Join(agent, TimeSpan.Zero);
            for (var k = 0; k < (agent == "a" ? 12 : 6); k++)
                timeline.Add(Of(agent, (ulong)k + 1, k, k + 1, share) with { NetworkNamespace = network, Kernel = Reading(k + 0.5, share) });
        }

        timeline.Leave("b", At(left));
        timeline.Advance(At(12));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(timeline.Kernel.Between(TimeSpan.Zero, At(12)).Sum(c => c.Established), Is.EqualTo(expected));
            Assert.That(timeline.Kernel.Newest[TcpState.Established], Is.EqualTo(expected));
        }
    }

    [Test]
    public void Between_AllHaveLeft_KeepsTheLastThatWasRead()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Join("a", TimeSpan.Zero);
        for (var k = 0; k < 6; k++)
            timeline.Add(Of("a", (ulong)k + 1, k, k + 1, 100) with { Kernel = Reading(k + 0.5, 100) });
        timeline.Leave("a", At(7));
        timeline.Advance(At(12));
        Assert.That(timeline.Kernel.Between(TimeSpan.Zero, At(12)).Single().Established, Is.EqualTo(100));
    }

    [Test]
    public void Between_ReportMissing_HasNoOwnCount()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Add(Of("b", 1, 0, 1, 50));
        timeline.Add(With(Reading(2.5, 150), sequence: 1, from: 2));
        timeline.Advance(At(10));
        var comparison = timeline.Kernel.Between(TimeSpan.Zero, At(100)).Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(comparison.Own, Is.Null);
            Assert.That(comparison.Agrees, Is.False);
        }
    }

    [Test]
    public void BySource_ChangesAndWholes_KeepTheNewest()
    {
        var (one, two) = (new EndpointAddress(Address("10.0.0.1")), new EndpointAddress(Address("10.0.0.2")));
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Add(Of("a", 1, 0, 1) with { Sockets = Tally(true, (one, 5), (two, 5)) });
        timeline.Add(Of("a", 3, 2, 3) with { Sockets = Tally(false, (one, 9)) });
        timeline.Add(Of("a", 2, 1, 2) with { Sockets = Tally(false, (one, 7)) });
        Assert.That(Established(timeline.Kernel.BySource), Is.EquivalentTo(new Dictionary<EndpointAddress, long> { [one] = 9, [two] = 5 }));
        timeline.Add(Of("a", 4, 3, 4) with { Sockets = Tally(false, (two, 0)) });
        Assert.That(Established(timeline.Kernel.BySource), Is.EquivalentTo(new Dictionary<EndpointAddress, long> { [one] = 9 }));
        timeline.Add(Of("a", 5, 4, 5) with { Sockets = Tally(true, (two, 1)) });
        Assert.That(Established(timeline.Kernel.BySource), Is.EquivalentTo(new Dictionary<EndpointAddress, long> { [two] = 1 }));
    }

    [TestCase(8, true, 8)]
    [TestCase(8, false, 8)]
    [TestCase(2, true, 5)]
    public void BySource_ReadWhenOthersHadBegunToDrain_StaysAsOfTheHold(long known, bool whole, long expected)
    {
        var source = new EndpointAddress(Address("10.0.0.1"));
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Add(Of("a", 1, 0, 1) with { Kernel = Reading(0.9, known), Sockets = Tally(true, (source, known)) });
        timeline.Kernel.BeginDrain(At(1.5));

        timeline.Add(Of("a", 2, 1, 2) with { Kernel = Reading(1.6, 5), Sockets = Tally(whole, (source, 5)) });

        Assert.That(Established(timeline.Kernel.BySource), Is.EquivalentTo(new Dictionary<EndpointAddress, long> { [source] = expected }));
    }

    [Test]
    public void ByDestination_TwoNamespaces_AddUpStateByState()
    {
        var target = new EndpointAddress(Address("10.0.0.9"), 443);
        var timeline = new Timeline(TimeSpan.FromHours(1));
        foreach (var (network, state) in new[] { ("ns1", TcpState.Established), ("ns2", TcpState.SynSent), ("ns3", TcpState.Established) })
        {
            var destinations = ImmutableDictionary<EndpointAddress, StateCounts>.Empty.Add(target, StateCounts.Of([(state, 3L)]));
            timeline.Add(Of(network, 1, 0, 1) with { NetworkNamespace = network, Sockets = new(true, destinations.Clear(), destinations) });
        }

        var (endpoint, states) = timeline.Kernel.ByDestination.Single();

        Assert.That(endpoint, Is.EqualTo(target));
        Assert.That(states, Is.EqualTo(StateCounts.Of([(TcpState.Established, 6L), (TcpState.SynSent, 3L)])));
    }

    [Test]
    public void Counters_ReadingsInAnyOrder_CountFromTheFirstOnPerNamespace()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Add(With(Counting(2, 130)));
        timeline.Add(With(Counting(1, 100), sequence: 2, from: 1));
        timeline.Add(With(Counting(3, 150) with { NamespaceOnly = true }, sequence: 3, from: 2));
        timeline.Add(With(Counting(1, 7), "ns2"));
        timeline.Add(With(Counting(4, 9), "ns2", 2, 1));

        Assert.That(timeline.Kernel.Counters, Is.EqualTo(TcpCounterValues.Zero with { SynRetransmits = 50 + 2 }));
        Assert.That(timeline.Kernel.Newest[TcpState.Established], Is.EqualTo(2), "what was read between dumps has no states");
    }

    [Test]
    public void Add_ReadingFromNowhere_IsPassedOver()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Add(With(Reading(-5, 1)));
        timeline.Add(With(Reading(1e9, 1), sequence: 2, from: 1));
        timeline.Advance(At(10));
        Assert.That(timeline.Kernel.Newest.Namespaces, Is.Zero);
    }

    private static KernelReading Counting(double takenAt, long retransmits) =>
        Reading(takenAt, 1) with { Counters = TcpCounterValues.Zero with { SynRetransmits = retransmits } };

    private static SocketTally Tally(bool whole, params (EndpointAddress Source, long Established)[] sources) => new(
        whole,
        sources.ToImmutableDictionary(s => s.Source, s => StateCounts.Of([(TcpState.Established, s.Established)])),
        ImmutableDictionary<EndpointAddress, StateCounts>.Empty);

    private static Dictionary<EndpointAddress, long> Established(IEnumerable<KeyValuePair<EndpointAddress, StateCounts>> sockets) =>
        sockets.ToDictionary(s => s.Key, s => s.Value[TcpState.Established]);
}
