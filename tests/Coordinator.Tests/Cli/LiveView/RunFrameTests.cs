using System.Collections.Immutable;
using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Protos;
using LoadHarness.V1;
using Spectre.Console;

namespace LoadHarness.Coordinator.Tests.Cli.LiveView;

public class RunFrameTests
{
    private const int Width = 80;

    [Test]
    public void Build_Holding_ShowsWhatMatters()
    {
        var picture = Render(Samples.Holding());
        foreach (var part in new[]
        {
            "run 7f3a holding", "0:27 of 0:45, hold ends in 0:18", "50,000 of 50,000", "100%", "established 50,000", "connecting 12",
            "closing 3", "50,012 at 4,167/s", "0.4 s ago: ESTABLISHED 49,998, SYN-SENT 12", "9 x the target refused the connection",
            "3 x no answer within the connect timeout", "local-1", "25,000", "12%", "45 MiB",
        })
        {
            Assert.That(string.Join(' ', picture.Select(l => l.Replace("  ", " ", StringComparison.Ordinal))), Does.Contain(part));
        }
    }

    [Test]
    public void Build_Events_TheNewestAreBelowAndFitTheWidth()
    {
        var picture = Render(Samples.Holding() with
        {
            Events = [.. Enumerable.Range(1, 5).Select(i => new EventView(TimeSpan.FromSeconds(i), "storm", "", $"storm {i} {new string('x', 100)}"))],
        });
        Assert.That(picture.Count(l => l.Contains("storm", StringComparison.Ordinal)), Is.EqualTo(3));
        Assert.That(picture, Has.Some.StartsWith("0:05 storm 5"));
        Assert.That(picture.Select(l => l.Length), Has.All.LessThanOrEqualTo(Width));
    }

    [Test]
    public void Build_LostAndLate_AreMarked()
    {
        var run = Samples.Holding();
        var agents = run.Progress!.Agents;
        run = run with { Progress = run.Progress with { Agents = [agents[0] with { Lost = true }, agents[1] with { Stale = true }] } };
        var picture = Render(run);
        Assert.That(picture.Single(l => l.Contains("local-1", StringComparison.Ordinal)), Does.EndWith("lost"));
        Assert.That(picture.Single(l => l.Contains("local-2", StringComparison.Ordinal)), Does.EndWith("late"));
        var after = Render(run with { State = RunState.Completed });
        Assert.That(after, Has.None.EndsWith("late"), "no sample is due after the end");
        Assert.That(after, Has.Exactly(1).EndsWith("lost"));
    }

    [Test]
    public void Build_Greeting_ShowsConfirmedBesideEstablished()
    {
        var run = Samples.Holding();
        var picture = Render(run with { Progress = run.Progress! with { Confirmed = 5000 } });
        Assert.That(picture, Has.Some.Contains("established 50,000, confirmed 5,000"));
    }

    [Test]
    public void Build_Requests_ShowsFiveRatesOfConnectsAndRequestsWithinTheWidth()
    {
        var run = Samples.Holding();
        var picture = Render(run with
        {
            Progress = run.Progress! with
            {
                Connects = new(123_456_789, 123_456_788, 5, 6, 7),
                Requests = new(new(20_000, 19_500, 19_400, 12, 500), 88, 1_234, 5_000_000_000, 999),
            },
        });
        Assert.That(picture, Does.Contain("requests    5,000,000,000 completed, failed 999, in flight 88, waiting 1,234"));
        Assert.That(picture, Does.Contain("per second     scheduled     offered   completed      failed not offered"));
        Assert.That(picture, Does.Contain("  connects   123,456,789 123,456,788           5           6           7"));
        Assert.That(picture, Does.Contain("  requests        20,000      19,500      19,400          12         500"));
        Assert.That(picture.Select(l => l.Length), Has.All.LessThanOrEqualTo(Width));
    }

    [Test]
    public void Build_Backends_ShowsTheOtherSide()
    {
        var run = Samples.Holding();
        run = run with { Progress = run.Progress! with { Backends = [new("b1", 30_000, 29_000, 5, 0.1, 1, false, false), new("b2", 20_000, 20_000, 5, 0.1, 1, true, true)] } };
        Assert.That(Render(run), Has.Some.Contains("backends    accepted 50,000, established 49,000, 1 of 2 lost"));
        Assert.That(Render(Samples.Holding()), Has.None.Contains("backends"), "a run without them");
    }

    [Test]
    public void Build_Sockets_ShowsTheMostAndTheLeastLoadedWithinTheWidth()
    {
        var run = Samples.Holding();
        var sockets = new SocketsOverviewView(
            250, 2, [.. Enumerable.Range(0, 8).Select(i => Endpoint(10 + i, 0, 9_000 - i))], [Endpoint(9, 443, 25_000), Endpoint(8, 443, 25_000)], Endpoint(99, 0, 7),
            Endpoint(8, 443, 25_000));
        var picture = Render(run with { Progress = run.Progress! with { Sockets = sockets } });
        Assert.That(picture, Has.Some.EqualTo("sources     250: most 10.0.0.10 9,000, 10.0.0.11 8,999; least 10.0.0.99 7"));
        Assert.That(picture, Has.Some.EqualTo("targets     2 with 25,000 sockets each"));
        Assert.That(picture.Select(l => l.Length), Is.All.LessThanOrEqualTo(Width));

        static EndpointView Endpoint(int last, int port, long count) =>
            new(new(new(false, 0x0A000000u + (uint)last), port), StateCounts.Of([(TcpState.Established, count)]));
    }

    [Test]
    public void Build_Ramping_MeasuresAgainstTheGoalOfTheHold()
    {
        var run = Samples.Holding();
        var picture = Render(run with { State = RunState.Ramping, Progress = run.Progress! with { Goal = 25_100, Established = 25_000 } });
        Assert.That(picture[1], Does.EndWith("25,000 of 50,000   50%"));
        Assert.That(picture[2], Does.Contain("established 25,000 (due now 25,100)"));
    }

    [Test]
    public void Build_NotStarted_IsOneLineWithItsReason()
    {
        var picture = Render(new RunView { Id = "7f3a", State = RunState.Pending, StateReason = "1 of 2 agents are here" });
        Assert.That(picture, Is.EqualTo(new[] { "run 7f3a  waiting for agents: 1 of 2 agents are here" }));
    }

    [TestCase(80, 24)]
    [TestCase(40, 10)]
    [TestCase(20, 5)]
    [TestCase(200, 60)]
    public void Build_ManyAgentsAndLongWords_FitTheTerminal(int width, int height)
    {
        var picture = Render(Samples.Crowded(agents: 300), width, height, notes: [new string('n', 300), "second"]);
        Assert.That(picture, Has.All.Length.LessThanOrEqualTo(width));
        Assert.That(picture, Has.Length.LessThan(height));
    }

    [Test]
    public void Build_MoreAgentsThanRoom_ShowsThoseInTroubleAndCountsTheRest()
    {
        var picture = Render(Samples.Crowded(agents: 300), Width, 24, []);
        Assert.That(picture.Any(l => l.Contains("lost-agent", StringComparison.Ordinal)), Is.True, string.Join('\n', picture));
        Assert.That(picture, Has.Some.Match(@"and \d+ more agents"));
    }

    [Test]
    public void Build_ControlCharacters_DoNotReachTheTerminal()
    {
        var picture = Render(Samples.Holding() with { Name = "a\u001b[2Jb", StateReason = "x\ny" });
        Assert.That(string.Concat(picture), Does.Not.Contain("\u001b"));
        Assert.That(picture[0], Does.Contain("x y"));
    }

    [TestCase(0, 0)]
    [TestCase(0, 5)]
    [TestCase(10, 0)]
    [TestCase(10, 20)]
    [TestCase(long.MaxValue, long.MaxValue)]
    public void Build_AnyNumbers_AreShown(long goal, long established)
    {
        var run = Samples.Holding();
        var picture = Render(run with
        {
            Plan = run.Plan! with { Goal = goal },
            Progress = run.Progress! with { Goal = goal, Established = established },
        });
        Assert.That(picture, Has.All.Length.LessThanOrEqualTo(Width));
    }

    private static string[] Render(RunView run) => Render(run, Width, 24, []);

    private static string[] Render(RunView run, int width, int height, ImmutableArray<string> notes)
    {
        var writer = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = width;
        console.Profile.Height = height;
        console.Write(RunFrame.Build(run, notes, width, height));
        return [.. writer.ToString().TrimEnd('\n').Split('\n').Select(l => l.TrimEnd())];
    }
}
