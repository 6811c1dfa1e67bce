using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Runs that bring their own accepting side.</summary>
public sealed class RunBackendTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [Test]
    public async Task Run_WithABackend_StartsAndStopsItAndReportsItsSide()
    {
        var client = await _fixture.AttachAsync("a");
        var backend = await BackendAsync("b", accepts: 1000);

        await _fixture.CreateAsync(WithBackends(1000));
        await _fixture.UntilAsync(RunState.Holding);
        await _fixture.PassAsync(TimeSpan.FromSeconds(2));
        var progress = _fixture.Run().Progress;
        var (run, summary) = await _fixture.EndAsync();

        var facts = summary.GetProperty("backends")[0];
        Assert.Multiple(() =>
        {
            Assert.That(summary.ExitCode(), Is.Zero, run.SummaryJson);
            Assert.That(backend.Assignments.Select(a => a.Phase), Is.EqualTo(new[] { Phase.Prepared, Phase.Running, Phase.Drained }));
            var work = backend.Assignments[0];
            Assert.That(work.Backend.Ports.Select(p => (p.First, p.Last)), Is.EqualTo(new[] { (9000u, 9009u) }));
            Assert.That((work.Backend.Greet, work.Slice, work.Workload, work.Schedule, work.Share), Is.EqualTo((true, default(Slice),
                default(Workload), default(Schedule), 0)));
            Assert.That(work.RequiredCapabilities, Is.EqualTo(new[] { "backend" }));
            Assert.That(work.KernelView.Slices, Is.Empty);
            Assert.That(backend.Assignments[1].StartNanos, Is.EqualTo(client.Assignments[1].StartNanos));

            Assert.That(progress.Established, Is.EqualTo(1000), "the clients' side alone");
            Assert.That(progress.Agents.Select(a => a.AgentId), Is.EqualTo(new[] { "a" }));
            Assert.That(progress.Backends.Select(b => (b.AgentId, b.Accepted, b.Established)), Is.EqualTo(new[] { ("b", 1000, 1000) }));

            Assert.That(facts.GetProperty("id").GetString(), Is.EqualTo("b"));
            Assert.That(facts.GetProperty("accepted").GetInt64(), Is.EqualTo(1000));
            Assert.That(facts.GetProperty("established").GetInt64(), Is.EqualTo(1000));
            Assert.That(facts.GetProperty("kernelEstablished").GetInt64(), Is.EqualTo(1000));
            Assert.That(facts.GetProperty("lost").GetBoolean(), Is.False);
            Assert.That(summary.GetProperty("agents").GetArrayLength(), Is.EqualTo(1));
            Assert.That(summary.GetProperty("result").GetProperty("opened").GetInt64(), Is.EqualTo(1000));
            Assert.That(summary.GetProperty("gaps").GetArrayLength(), Is.Zero);
            Assert.That(summary.Notes(), Is.Empty);
            Assert.That(_fixture.Host.Agents.Find("b")!.Run, Is.Null);
            Assert.That(_fixture.Log.Lines, Is.Empty);
        });
    }

    [Test]
    public async Task Run_BackendIsToldToClose_OnlyAfterTheClientsHave()
    {
        var client = await _fixture.AttachAsync("a");
        var backend = await BackendAsync("b", accepts: 10);
        var drainedFirst = true;
        client.Respond = assignment =>
        {
            if (assignment.Phase == Phase.Drained)
                drainedFirst &= backend.Assignments[^1].Phase == Phase.Running;
            return FakeAgent.Obey(assignment);
        };

        await _fixture.CreateAsync(WithBackends(10));
        await _fixture.EndAsync();

        Assert.That(drainedFirst, Is.True);
        Assert.That(backend.Assignments[^1].Phase, Is.EqualTo(Phase.Drained));
    }

    [Test]
    public async Task Run_Stopped_ClosesTheBackendToo()
    {
        await _fixture.AttachAsync("a");
        var backend = await BackendAsync("b", accepts: 10);
        await _fixture.CreateAsync(WithBackends(10, holdSeconds: 600));
        await _fixture.UntilAsync(RunState.Holding);

        await _fixture.Control.StopRunAsync(new() { Immediately = true });
        await _fixture.EndAsync();

        Assert.That(backend.Assignments[^1].Phase, Is.EqualTo(Phase.Drained));
        Assert.That(backend.Assignments[^1].DrainTimeout.ToTimeSpan(), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public async Task Run_ClientsNeverReady_ClosesTheBackendToo()
    {
        var client = await _fixture.AttachAsync("a");
        client.Respond = _ => null;
        var backend = await BackendAsync("b", accepts: 0);

        await _fixture.CreateAsync(WithBackends(10));
        var (_, summary) = await _fixture.EndAsync();

        Assert.That(summary.ExitCode(), Is.EqualTo(5));
        Assert.That(backend.Assignments.Select(a => a.Phase), Is.EqualTo(new[] { Phase.Prepared, Phase.Drained }));
    }

    [Test]
    public async Task Run_BackendNeverReady_FailsNamingItAndStartsNothing()
    {
        var client = await _fixture.AttachAsync("a");
        var backend = await BackendAsync("slow", accepts: 0);
        backend.Respond = _ => null;

        await _fixture.CreateAsync(WithBackends(10));
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.StateReason, Is.EqualTo("backends did not get ready: slow (not ready after 10 s)"));
            Assert.That(summary.ExitCode(), Is.EqualTo(5));
            Assert.That(client.Assignments.Select(a => a.Phase), Is.EqualTo(new[] { Phase.Prepared, Phase.Drained }));
        });
    }

    [Test]
    public async Task Run_BackendRefuses_FailsWithItsWords()
    {
        await _fixture.AttachAsync("a");
        var backend = await BackendAsync("b", accepts: 0);
        backend.Respond = a => a.Phase == Phase.Drained ? FakeAgent.Obey(a) : new AssignmentStatus
        {
            RunId = a.RunId,
            Revision = a.Revision,
            Refused = new() { Field = "required_capabilities", Rule = "capability", Message = "this agent lacks backend; install another" },
        };

        await _fixture.CreateAsync(WithBackends(10));
        var (run, summary) = await _fixture.EndAsync();

        Assert.That(run.StateReason, Does.StartWith("backend b (version 1.").And.Contain("lacks backend"));
        Assert.That(summary.ExitCode(), Is.EqualTo(7));
    }

    [Test]
    public async Task Run_TooFewBackends_WaitsWithoutHoldingTheClients()
    {
        await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(WithBackends(10));
        await _fixture.PassAsync(TimeSpan.FromSeconds(1));
        var waiting = _fixture.Run();
        var free = _fixture.Host.Agents.Find("a")!.Run;
        await BackendAsync("b", accepts: 10);
        var (_, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(waiting.StateReason, Is.EqualTo("0 of 1 backends are there and idle"));
            Assert.That(free, Is.Null);
            Assert.That(summary.ExitCode(), Is.Zero);
        });
    }

    [Test]
    public async Task Run_BackendSelect_TakesThoseThatCarryTheLabel()
    {
        await _fixture.AttachAsync("a");
        var other = await BackendAsync("b1", accepts: 0);
        var chosen = await BackendAsync("b2", accepts: 10, ("side", "east"));
        var spec = WithBackends(10);
        spec.BackendSelect.Add("side", "east");

        await _fixture.CreateAsync(spec);
        await _fixture.EndAsync();

        Assert.That(chosen.Assignments, Is.Not.Empty);
        Assert.That(other.Assignments, Is.Empty);
    }

    [Test]
    public async Task Run_BackendLost_GoesOnAndSaysSo()
    {
        await _fixture.AttachAsync("a");
        await BackendAsync("b", accepts: 1000);
        await _fixture.CreateAsync(WithBackends(1000, holdSeconds: 20));
        await _fixture.UntilAsync(RunState.Holding);

        _fixture.Host.Agents.ReportExited("b", "signal 9");
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed), run.StateReason);
            Assert.That(summary.ExitCode(), Is.Zero);
            Assert.That(summary.GetProperty("backends")[0].GetProperty("lost").GetBoolean(), Is.True);
            Assert.That(summary.Notes(), Has.Some.Contains("backend b was lost"));
        });
    }

    [Test]
    public async Task Run_BackendHoldsFewer_SaysWhereTheOthersEnd()
    {
        await _fixture.AttachAsync("a");
        await BackendAsync("b", accepts: 600);

        await _fixture.CreateAsync(WithBackends(1000, holdSeconds: 10));
        var (_, summary) = await _fixture.EndAsync();

        Assert.That(summary.Notes(), Has.One.Contains("The clients held 1,000 connections and the backends 600").And.One.Contains("400"));
    }

    [Test]
    public async Task Run_ClientBesideABackend_LeavesItsPortsAlone()
    {
        var client = await _fixture.AttachAsync("a");
        await BackendAsync("b", accepts: 10);
        var spec = WithBackends(10);
        spec.Targets.Clear();
        // Through a proxy elsewhere: the ports of the target are not those of the backend.
        spec.Targets.Add("10.0.0.5:443");
        spec.SourcePorts = "8960-9215";

        await _fixture.CreateAsync(spec);
        await _fixture.EndAsync();

        Assert.That(client.Assignments[0].Slice.ExcludedPorts.Any(p => p.First <= 9000 && p.Last >= 9009), Is.True);
    }

    [TestCase(false, false, false)]
    [TestCase(false, true, false)]
    [TestCase(true, true, false)]
    [TestCase(false, false, true)]
    [TestCase(true, false, true)]
    public async Task Run_WhatTheWorkloadAsksFor_IsWhatTheBackendsAnswer(bool holds, bool http, bool echo)
    {
        var client = await _fixture.AttachAsync("a");
        var backend = await BackendAsync("b", accepts: 10);
        var spec = WithBackends(10);
        spec.ExpectGreeting = !holds && (http || echo);
        var pace = new RequestLoad { ThinkTime = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) };
        List<WorkloadShare> shares = [];
        if (holds || !(http || echo))
            shares.Add(new() { Weight = 1, Hold = new() });
        if (http)
        {
            spec.Targets.Clear();
            spec.Targets.Add("http://127.0.0.1:9000-9009/");
            shares.Add(new() { Weight = 1, Http = new() { Method = "GET", Path = "/", Load = pace } });
        }

        if (echo)
            shares.Add(new() { Weight = 1, Echo = new() { Size = 64, Load = pace } });
        spec.Workload = shares.Count > 1
            ? new() { Mix = new() { Shares = { shares } } }
            : echo ? new() { Echo = shares[0].Echo } : http ? new() { Http = shares[0].Http } : new() { Hold = new() };

        await _fixture.CreateAsync(spec);
        await _fixture.EndAsync();

        var work = backend.Assignments[0];
        Assert.Multiple(() =>
        {
            Assert.That((work.Backend.Http, work.Backend.Echo, work.Backend.Greet), Is.EqualTo((http, echo, false)));
            Assert.That(work.RequiredCapabilities, Is.EqualTo(http || echo ? ["backend", "backend.answers"] : new[] { "backend" }));
            Assert.That(client.Assignments[0].Workload.ExpectGreeting, Is.EqualTo(spec.ExpectGreeting), "confirmed by its first answer");
        });
    }

    private static RunSpec WithBackends(ulong connections, double holdSeconds = 6)
    {
        var spec = Spec(connections, agents: 1, holdSeconds);
        (spec.Backends, spec.BackendListen, spec.ExpectGreeting) = (1, "9000-9009", true);
        return spec;
    }

    // Accepts so many in its first second and keeps them.
    private async Task<FakeAgent> BackendAsync(string id, long accepts, params (string Label, string Value)[] labels)
    {
        var hello = FakeAgent.MakeHello(id);
        hello.Role = AgentRole.Backend;
        foreach (var (label, value) in labels)
            hello.Labels.Add(label, value);
        var backend = await _fixture.AttachAsync(hello);
        backend.Measure = (assignment, second, _) =>
        {
            var sample = backend.MakeSample(assignment.RunId, second, accepts, opened: second == 0 ? accepts : 0);
            sample.KernelView = new()
            {
                TakenAtMillis = sample.ToMillis,
                IntervalMillis = 1000,
                States = { new StateCount { State = TcpState.Established, Count = (ulong)accepts } },
            };
            return sample;
        };
        return backend;
    }
}
