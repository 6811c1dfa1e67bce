using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Protos;
using LoadHarness.V1;
using Microsoft.Extensions.Time.Testing;
using BlockRange = LoadHarness.Protos.BlockRange;
using Schedule = LoadHarness.Protos.Schedule;
using SchedulePoint = LoadHarness.Protos.SchedulePoint;
using Slice = LoadHarness.Protos.Slice;

namespace LoadHarness.Coordinator.Tests.Runs;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class KernelReadersTests
{
    private readonly KernelReaders _readers = new();
    private readonly ImmutableArray<RunMember> _members = [Member("a", "n/1", 1), Member("b", "n/1", 2), Member("c", "n/2", 3)];

    [Test]
    public void Choose_FirstTime_NamesOneForEachNamespace()
    {
        var changed = _readers.Choose(_members, TimeSpan.Zero);

        Assert.Multiple(() =>
        {
            Assert.That(changed, Is.True);
            Assert.That(Readers(), Is.EqualTo(new[] { "a", "c" }));
            Assert.That(
                _readers.DutyOf(_members[0], _members, [])!.Slices,
                Is.EqualTo(new[] { _members[0].Plan!.Slice, _members[1].Plan!.Slice }));
            Assert.That(_readers.DutyOf(_members[2], _members, [])!.Slices, Is.EqualTo(new[] { _members[2].Plan!.Slice }));
        });
    }

    [Test]
    public void Choose_ReaderThatReads_GoesOn()
    {
        _readers.Choose(_members, TimeSpan.Zero);
        for (var second = 1; second < 60; second++)
        {
            _readers.Heard(Sample("a", "n/1", TimeSpan.FromSeconds(1)), TimeSpan.FromSeconds(second));
            _readers.Heard(Sample("c", "n/2", TimeSpan.FromSeconds(1)), TimeSpan.FromSeconds(second));
            Assert.That(_readers.Choose(_members, TimeSpan.FromSeconds(second)), Is.False);
        }
    }

    [Test]
    public void Choose_SilentForThreeOfItsIntervals_NamesTheNext()
    {
        _readers.Choose(_members, TimeSpan.Zero);
        _readers.Heard(Sample("a", "n/1", TimeSpan.FromSeconds(10)), TimeSpan.FromSeconds(1));
        _readers.Heard(Sample("c", "n/2", TimeSpan.FromSeconds(100)), TimeSpan.FromSeconds(1));

        var early = _readers.Choose(_members, TimeSpan.FromSeconds(31));
        var due = _readers.Choose(_members, TimeSpan.FromSeconds(31.1));

        Assert.Multiple(() =>
        {
            Assert.That(early, Is.False);
            Assert.That(due, Is.True);
            Assert.That(Readers(), Is.EqualTo(new[] { "b", "c" }));
        });
    }

    [Test]
    public void Choose_ReaderLost_NamesTheNextAtOnce()
    {
        _readers.Choose(_members, TimeSpan.Zero);
        _members[0].Lose(new("signal 9", TimeSpan.Zero, IsProven: true, "", 0));

        var changed = _readers.Choose(_members, TimeSpan.FromSeconds(0.1));

        Assert.Multiple(() =>
        {
            Assert.That(changed, Is.True);
            Assert.That(Readers(), Is.EqualTo(new[] { "b", "c" }));
        });
    }

    [Test]
    public void Choose_OnlyAgentOfItsNamespaceIsSilent_StaysWithoutANewRevision()
    {
        _readers.Choose(_members, TimeSpan.Zero);
        _readers.Heard(Sample("a", "n/1", TimeSpan.FromSeconds(1)), TimeSpan.FromSeconds(100));

        Assert.That(_readers.Choose(_members, TimeSpan.FromSeconds(101)), Is.False);
        Assert.That(Readers(), Is.EqualTo(new[] { "a", "c" }));
    }

    private IEnumerable<string> Readers() => _members.Where(m => _readers.DutyOf(m, _members, []) is not null).Select(m => m.Agent.Id);

    private static RunMember Member(string id, string networkNamespace, int group)
    {
        var clock = new CoordinatorClock(new FakeTimeProvider());
        var hello = WireTranslation.ToHello(FakeAgent.MakeHello(id, networkNamespace));
        var member = new RunMember(new AgentState(new AgentSession(id, hello, clock), clock, new FleetOptions()));
        var source = new IpRange(IpAddress.FromBytes([127, 0, 0, 1]), 1);
        member.Take(new AgentPlan
        {
            AgentId = id,
            Host = "host",
            NetworkNamespace = networkNamespace,
            Destinations = [],
            Share = 1,
            Schedule = new Schedule([new SchedulePoint(TimeSpan.Zero, 1)], 1),
            Slice = new Slice([new BlockRange(source, 256 * group, 1)], [], TimeSpan.FromSeconds(60)),
            Tuples = 256,
        });
        return member;
    }

    private static AgentSample Sample(string id, string networkNamespace, TimeSpan interval) => new()
    {
        AgentId = id,
        Incarnation = "life",
        NetworkNamespace = networkNamespace,
        Sequence = 1,
        From = TimeSpan.Zero,
        To = TimeSpan.FromSeconds(1),
        Gauges = new GaugeValues(),
        Counters = new CounterValues(),
        Health = new HealthValues(),
        Kernel = new KernelReading { TakenAt = TimeSpan.Zero, States = ImmutableDictionary<TcpState, long>.Empty, Interval = interval },
    };
}
