using CsCheck;
using LoadHarness.Agent.Engine;
using Schedule = LoadHarness.Protos.Schedule;
using SchedulePoint = LoadHarness.Protos.SchedulePoint;

namespace LoadHarness.Agent.Tests.Engine;

/// <summary>The goals of all reactors of one agent, held against the agent's.</summary>
public sealed class ReactorGoalTests
{
    private const double Rate = 1000;

    private static readonly Gen<Case> _cases =
        Gen.Select(Gen.Select(Gen.Long[0, 5000], Gen.Long[0, 5000]).Array[1, 8], Gen.Long[0, 40_000].Array[1, 4], Gen.Int[0, 40_000])
            .Select((reactors, goals, at) => new Case([.. reactors.Select(r => r.Item1)], [.. reactors.Select(r => r.Item2)], goals, at));

    [Test]
    public void GoalAt_AllReactors_SumToTheAgents() =>
        _cases.Sample(c =>
        {
            var goals = c.Divide();
            return goals.Sum(g => g.GoalAt(c.At)) == Math.Min(c.Schedule.GoalAt(c.At), c.Largest);
        });

    [Test]
    public void GoalAt_TheBase_IsWhatEachHad() =>
        _cases.Sample(c => c.Divide().Select(g => (g with { Schedule = Flat(c.Bases.Sum()) }).GoalAt(TimeSpan.Zero)).SequenceEqual(c.Bases));

    [Test]
    public void GoalAt_AboveTheBase_LowersNobody() =>
        _cases.Sample(c =>
        {
            var goals = c.Divide();
            return c.Schedule.GoalAt(c.At) < c.Bases.Sum() || goals.Zip(c.Bases).All(g => g.First.GoalAt(c.At) >= g.Second);
        });

    [Test]
    public void GoalAt_BelowTheBase_IsInProportion() =>
        _cases.Sample(c =>
        {
            var (whole, total) = (c.Schedule.GoalAt(c.At), c.Bases.Sum());
            return whole > total || total == 0
                || c.Divide().Zip(c.Bases).All(g => Math.Abs(g.First.GoalAt(c.At) - ((double)whole * g.Second / total)) <= 1);
        });

    [Test]
    public void GoalAt_UpToWhatThereIsRoomFor_StaysWithinEachReactorsRoom() =>
        _cases.Sample(c => c.Schedule.GoalAt(c.At) > c.Bases.Sum() + c.Rooms.Sum()
            || c.Divide().Select((g, i) => (g, i)).All(r => r.g.GoalAt(c.At) <= c.Bases[r.i] + c.Rooms[r.i]));

    [Test]
    public void ConnectsPerSecond_AllReactors_NeverExceedTheAgentsRate() =>
        _cases.Sample(c => c.Divide().Sum(g => g.ConnectsPerSecond(c.At)) <= Rate * (1 + 1e-9));

    [Test]
    public void ConnectsPerSecond_WhileGrowingAtTheFullRate_GoesToThoseThatGrow()
    {
        // 1,000 a second are asked for and allowed; the second reactor is full.
        var schedule = new Schedule([new(TimeSpan.Zero, 2000), new(TimeSpan.FromSeconds(1), 3000)], Rate);
        var goals = Divide(schedule, [1000, 1000], [1000, 0], 3000);

        Assert.That(goals.Select(g => g.ConnectsPerSecond(TimeSpan.FromSeconds(0.5))), Is.EqualTo(new[] { 1000.0, 0.0 }).Within(1e-6));
    }

    [Test]
    public void ConnectsPerSecond_WhileGrowingSlowly_LeavesTheFullReactorsTheirReopens()
    {
        // 100 a second are asked for: the rest of the rate belongs to all in proportion.
        var schedule = new Schedule([new(TimeSpan.Zero, 2000), new(TimeSpan.FromSeconds(10), 3000)], Rate);
        var goals = Divide(schedule, [1000, 1000], [1000, 0], 3000);
        var rates = goals.Select(g => g.ConnectsPerSecond(TimeSpan.FromSeconds(5))).ToArray();

        Assert.Multiple(() =>
        {
            Assert.That(rates[0], Is.EqualTo(100 + (900 * 2.0 / 3)).Within(1e-6));
            Assert.That(rates[1], Is.EqualTo(900 / 3.0).Within(1e-6));
        });
    }

    [Test]
    public void ConnectsPerSecond_Level_IsInProportionToWhatEachHolds()
    {
        var goals = Divide(Flat(4000), [1000, 1000], [2000, 0], 4000);

        Assert.That(goals.Select(g => g.ConnectsPerSecond(TimeSpan.Zero)), Is.EqualTo(new[] { 750.0, 250.0 }).Within(1e-6));
    }

    [Test]
    public void DirectionAt_RampHoldAndDescent_TellsThemApart()
    {
        var schedule = new Schedule(
            [new(TimeSpan.Zero, 0), new(TimeSpan.FromSeconds(10), 100), new(TimeSpan.FromSeconds(20), 100), new(TimeSpan.FromSeconds(30), 50)], Rate);
        var goal = Divide(schedule, [0], [100], 100)[0];

        Assert.That(new[] { 0.0, 9.99, 10, 15, 25, 35 }.Select(s => goal.DirectionAt(TimeSpan.FromSeconds(s))), Is.EqualTo(new[] { 1, 1, 0, 0, -1, 0 }));
    }

    [Test]
    public void GoalAt_WhileTheAgentsGoalRises_StepsBackByOneAtMost()
    {
        // Seven parts of one ramp: the case in which a part does step back.
        var schedule = new Schedule([new(TimeSpan.Zero, 0), new(TimeSpan.FromSeconds(1), 1000)], Rate);
        var goals = Divide(schedule, new long[7], [150, 150, 150, 150, 150, 150, 100], 1000);

        var steps = goals.SelectMany(g =>
        {
            var path = Enumerable.Range(0, 1001).Select(i => g.GoalAt(TimeSpan.FromMilliseconds(i))).ToList();
            return path.Zip(path.Skip(1), (before, after) => after - before);
        });

        Assert.That(steps.Min(), Is.EqualTo(-1));
    }

    private static Schedule Flat(long goal) => new([new(TimeSpan.Zero, goal)], Rate);

    private static ReactorGoal[] Divide(Schedule schedule, long[] bases, long[] rooms, long largest)
    {
        var growth = GoalPart.Spread(Math.Max(0, largest - bases.Sum()), rooms);
        var (baseParts, growthParts) = (GoalPart.SideBySide(bases), GoalPart.SideBySide(growth));
        return
        [
            .. bases.Select((_, i) => new ReactorGoal
            {
                Schedule = schedule,
                Base = baseParts[i],
                Growth = growthParts[i],
                StartNanos = 0,
                MaxDuration = TimeSpan.FromHours(1),
                ConnectTimeoutNanos = 1,
                DrainTimeout = TimeSpan.Zero,
            }),
        ];
    }

    /// <summary>Reactors with what they have and what room there is above it, and where the agent goes from there.</summary>
    private sealed record Case(long[] Bases, long[] Rooms, long[] Goals, int AtMillis)
    {
        public TimeSpan At => TimeSpan.FromMilliseconds(AtMillis);

        public long Largest => Rooms.Sum() == 0 && Goals.Max() > Bases.Sum() ? Bases.Sum() : Math.Max(Goals.Max(), Bases.Sum());

        public Schedule Schedule { get; } = new(
            [new(TimeSpan.Zero, Bases.Sum()), .. Goals.Select((goal, i) => new SchedulePoint(TimeSpan.FromSeconds(10 * (i + 1)), goal))], Rate);

        public ReactorGoal[] Divide() => ReactorGoalTests.Divide(Schedule, Bases, Rooms, Largest);
    }
}
