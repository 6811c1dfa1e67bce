using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Aggregation;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Runs;

public sealed class RunMeasurementsTests
{
    private readonly List<(int Number, RunEvent Event)> _kept = [];
    private RunMeasurements _measurements = null!;

    [SetUp]
    public void TwoSeconds()
    {
        _kept.Clear();
        _measurements = new RunMeasurements(new RunSpec { Targets = [], Connections = 10 }, () => TimeSpan.FromSeconds(2), (number, happened) => _kept.Add((number, happened)));
        _measurements.Begin(OneAgent(), ["b0"]);
        _measurements.Add(Samples.Of("a0", 1, 0, 1, 10));
        _measurements.Add(Samples.Of("a0", 2, 1, 2, 10));
    }

    [Test]
    public void Finish_HeardOfInTheNextSecond_LeavesNoGap()
    {
        _measurements.Add(Samples.Of("a0", 3, 2, 2.9));

        _measurements.Finish("a0", TimeSpan.FromSeconds(4.1));

        Assert.That(GapsAfter(4.1), Is.Empty);
    }

    [Test]
    public void Finish_WithoutALastSample_LeavesTheGap()
    {
        _measurements.Finish("a0", TimeSpan.FromSeconds(4.1));

        Assert.That(GapsAfter(4.1), Is.Not.Empty);
    }

    [Test]
    public void Event_SameAgain_IsKeptBothTimesWithItsNumberAndTime()
    {
        _measurements.Event("storm", "", "a storm");
        _measurements.Event("storm", "", "a storm");

        var storm = new RunEvent(TimeSpan.FromSeconds(2), "storm", "", "a storm");
        Assert.That(_kept, Is.EqualTo(new[] { (1, storm), (2, storm) }));
    }

    [Test]
    public void Note_SameSubjectAgain_IsOneFindingAmongTheEvents()
    {
        var finding = new AgentFinding(V1.Finding.Types.Severity.Warning, "lease", "it was late");
        _measurements.Note("a0", finding);
        _measurements.Note("a0", finding with { Message = "it was late again" });

        Assert.That(_measurements.Events.All, Is.EqualTo([new RunEvent(TimeSpan.FromSeconds(2), "finding", "a0", "it was late")]));
    }

    [Test]
    public void Note_OfAnAgentWithVeryMuchToSay_LeavesRoomForWhatIsSaidAboutIt()
    {
        for (var i = 0; i < 1000; i++)
            _measurements.Note("a0", new(V1.Finding.Types.Severity.Warning, $"{i}", "so much"), isItsOwn: true);
        _measurements.Note("a0", new(V1.Finding.Types.Severity.Warning, "flood", "it floods"));

        Assert.That(_measurements.Events.All[^1].Message, Is.EqualTo("it floods"));
        Assert.That(_measurements.Events.All, Has.Count.LessThan(20));
    }

    [Test]
    public void Event_WithoutEnd_EndsWithOneThatSaysSo()
    {
        for (var i = 0; i < RunEvents.Most + 10; i++)
            _measurements.Event("storm", "", $"{i}");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(_measurements.Events.All, Has.Count.EqualTo(RunEvents.Most));
            Assert.That(_measurements.Events.All[^1].Message, Does.Contain("no further events"));
            Assert.That(_measurements.Events.Newest, Has.Length.EqualTo(RunEvents.Shown));
        }
    }

    private static RunPlan OneAgent()
    {
        var schedule = new Schedule([new SchedulePoint(TimeSpan.Zero, 10)], 1000);
        return new RunPlan
        {
            Revision = 1,
            Goal = 10,
            Destinations = [],
            Schedule = schedule,
            RampEnd = TimeSpan.Zero,
            HoldEnd = TimeSpan.FromSeconds(2),
            DrainTimeout = TimeSpan.FromSeconds(10),
            Agents =
            [
                new AgentPlan
                {
                    AgentId = "a0",
                    Destinations = [],
                    Share = 10,
                    Schedule = schedule,
                    Slice = new Slice([], [], TimeSpan.Zero),
                    Host = "host",
                    NetworkNamespace = "ns1",
                    Tuples = 256,
                },
            ],
        };
    }

    [Test]
    public void Add_SampleOfABackend_IsNotAmongTheClients()
    {
        _measurements.Add(Samples.Of("b0", 1, 0, 1, 500));
        _measurements.Add(Samples.Of("stranger", 1, 0, 1, 700));

        Assert.Multiple(() =>
        {
            Assert.That(_measurements.Read((clients, _) => clients.At(0).Gauges.Established), Is.EqualTo(10));
            Assert.That(_measurements.Read((_, backends) => backends.Timeline.At(0).Gauges.Established), Is.EqualTo(500));
            Assert.That(_measurements.Read((_, backends) => backends.HeldBy("b0")), Is.EqualTo(500));
        });
    }

    private object[] GapsAfter(double seconds) => _measurements.Read((timeline, _) =>
    {
        timeline.Close(TimeSpan.FromSeconds(seconds));
        return timeline.Gaps().Cast<object>().ToArray();
    });
}
