using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.KernelView;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.V1;
using Assignment = LoadHarness.Agent.Assignments.Assignment;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>The accepting side by assignment, over loopback.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerBackendTests
{
    // Listeners on every address: away from the source ports of other tests, which would lose theirs.
    private static int _nextPort = 61_000 + (Environment.ProcessId % 40 * 100);

    private readonly List<Socket> _clients = [];
    private readonly int _port = Interlocked.Add(ref _nextPort, 2) - 2;
    private RunnerFixture _run = null!;

    [SetUp]
    public void SetUp() => _run = new RunnerFixture(policy: new AgentPolicy(AllowList.Loopback) { Role = AgentRole.Backend });

    [TearDown]
    public void TearDown()
    {
        _clients.ForEach(c => c.Dispose());
        _run.Dispose();
    }

    [Test]
    public void Apply_Prepared_ListensOnEveryAddressOfBothFamilies()
    {
        Prepare();

        Connect(IPAddress.Loopback, _port);
        Connect(LoopbackAddress.Next(), _port + 1);
        Connect(IPAddress.IPv6Loopback, _port);

        _run.WaitFor(() => _run.Status?.Held == 3, "3 held");
        Assert.That(_run.Samples, Is.Empty, "waiting is not run time");
    }

    [TestCase(443)]
    [TestCase(1023)]
    public void Apply_PortThatTheUserDidNotAllow_IsRefusedWithTheFlagAndNobodyListens(int port)
    {
        _run.Apply(Backend() with { Backend = new([new(port, port), new(_port, _port)], Greet: false) });

        _run.WaitFor(() => _run.Status?.Refused is not null, "a refusal");
        var refused = _run.Status!.Refused!;
        Assert.That((refused.Field, refused.Rule), Is.EqualTo(("backend.ports", "allow-list")));
        Assert.That(refused.Message, Does.Contain($"port {port} ").And.Contain($"--allow-listen {port},{_port}"));
        Assert.That(() => Connect(IPAddress.Loopback, _port), Throws.TypeOf<SocketException>());
    }

    [Test]
    public void Apply_Running_ReportsEachSecondWhatItAcceptedAndHolds()
    {
        var prepared = Prepare();
        Run(prepared);
        for (var i = 0; i < 50; i++)
            Connect(IPAddress.Loopback, _port + (i % 2));
        _run.WaitFor(() => _run.Now.Established == 50, "50 ESTABLISHED");
        _clients[0].Send(new byte[100]);
        foreach (var client in _clients.Take(20))
            client.Dispose();

        _run.WaitFor(() => _run.Now.Established == 30, "30 ESTABLISHED");

        Assert.That((_run.Sum(c => c.Opened), _run.Sum(c => c.Closed), _run.Sum(c => c.BytesReceived)), Is.EqualTo((50L, 20L, 100L)));
        Assert.That(_run.Samples.Max(s => s.Counts.EstablishedMax), Is.EqualTo(50));
        Assert.That(_run.Samples.Select(s => s.ToMillis % 1000), Is.All.Zero);
        Assert.That(_run.Samples.Zip(_run.Samples.Skip(1)).All(p => p.First.ToMillis == p.Second.FromMillis), Is.True, "no gap");
        Assert.That(_run.Last!.Health.Reactors, Is.GreaterThan(0));
        Assert.That(_run.Failures, Is.Empty);
    }

    [Test]
    public void Apply_Greet_SendsOneByteToEach()
    {
        Prepare(greet: true);

        Assert.That(Connect(IPAddress.Loopback, _port).Receive(new byte[10]), Is.EqualTo(1));
    }

    [TestCase(true, false, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n")]
    [TestCase(false, true, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [TestCase(true, true, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n")]
    [TestCase(true, true, "\u0080any bytes", "\u0080any bytes")]
    public void Apply_Answers_SendsWhatWasAsked(bool http, bool echo, string request, string expected)
    {
        var backend = Backend();
        Prepare(backend with { Backend = backend.Backend! with { Http = http, Echo = echo } });
        var client = Connect(IPAddress.Loopback, _port);

        client.Send(Encoding.Latin1.GetBytes(request));

        var answer = new byte[expected.Length];
        for (var read = 0; read < answer.Length;)
            read += client.Receive(answer.AsSpan(read)) is > 0 and var more ? more : throw new EndOfStreamException();
        Assert.That(Encoding.Latin1.GetString(answer), Is.EqualTo(expected));
    }

    [Test]
    public void Apply_OtherAnswersWhileItRuns_IsRefused()
    {
        var prepared = Prepare();

        _run.Apply(_run.Next(prepared, a => a with { Backend = a.Backend! with { Echo = true } }));
        _run.WaitFor(() => _run.Status?.Refused is not null, "a refusal");

        Assert.That((_run.Status!.Refused!.Field, _run.Status.Refused.Rule), Is.EqualTo(("backend", "change")));
    }

    [Test]
    public void Apply_Drained_ClosesListenersAndConnectionsByFin()
    {
        var prepared = Prepare();
        Run(prepared);
        var clients = Enumerable.Range(0, 200).Select(_ => Connect(IPAddress.Loopback, _port)).ToList();
        // What nobody reads would turn the FIN into RST.
        clients[0].Send(new byte[1000]);
        _run.WaitFor(() => _run.Now.Established == 200, "200 ESTABLISHED");

        var status = _run.Drain(prepared);

        Assert.That((status.Held, _run.Now.Established, _run.Sum(c => c.Closed)), Is.EqualTo((0L, 0L, 200L)));
        Assert.That(clients.Select(c => c.Receive(new byte[1])), Is.All.Zero);
        Assert.That(() => Connect(IPAddress.Loopback, _port),
            Throws.InstanceOf<SocketException>().With.Property("SocketErrorCode").EqualTo(SocketError.ConnectionRefused));
    }

    [Test]
    public void Apply_DrainedAndAnotherRun_ListensAgain()
    {
        _run.Drain(Prepare());

        Prepare(runId: "next");

        Connect(IPAddress.Loopback, _port);
    }

    [Test]
    public void Drain_TheLeaseEnded_ClosesEverything()
    {
        Run(Prepare());
        var client = Connect(IPAddress.Loopback, _port);
        _run.WaitFor(() => _run.Now.Established == 1, "the connection accepted");

        _run.Runner.Drain("the lease ended");

        Assert.That((_run.Status!.Phase, client.Receive(new byte[1])), Is.EqualTo((Phase.Drained, 0)));
        Assert.That(() => Connect(IPAddress.Loopback, _port), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void Apply_MaxDurationIsOver_DrainsByItself()
    {
        var prepared = Prepare();
        Connect(IPAddress.Loopback, _port);

        _run.Apply(Running(prepared) with { MaxDuration = TimeSpan.FromSeconds(2) });

        _run.WaitFor(() => _run.Status!.Phase == Phase.Drained, "DRAINED");

        Assert.That(_run.Last!.ToMillis, Is.GreaterThanOrEqualTo(2000));
    }

    [Test]
    public void Apply_APortIsTaken_IsRefusedInWordsAndListensOnNone()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Any, _port + 1));
        other.Listen();

        _run.Apply(Backend());
        _run.WaitFor(() => _run.Status?.Refused is not null, "a refusal");

        var refused = _run.Status!.Refused!;
        Assert.That((refused.Field, refused.Rule), Is.EqualTo(("backend.ports", "ports")));
        Assert.That(refused.Message, Does.Contain($"port {_port + 1} is taken").And.Contain("ss -ltnp"));
        Assert.That(() => Connect(IPAddress.Loopback, _port), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public void Apply_OtherPortsWhileItRuns_IsRefusedAndChangesNothing()
    {
        var prepared = Prepare();

        _run.Apply(_run.Next(prepared, a => a with { Backend = new([new PortSpan(_port, _port)], Greet: false) }));
        _run.WaitFor(() => _run.Status?.Refused is not null, "a refusal");

        Assert.That((_run.Status!.Refused!.Field, _run.Status.Refused.Rule), Is.EqualTo(("backend", "change")));
        Connect(IPAddress.Loopback, _port + 1);
    }

    [Test]
    public void Apply_TheOtherRolesWork_IsRefusedByName()
    {
        using var client = new RunnerFixture();
        client.Apply(Backend());
        _run.Apply(_run.Hold(IPAddress.Loopback, _port, 1, 1));

        client.WaitFor(() => client.Status?.Refused is not null, "the client's refusal");
        _run.WaitFor(() => _run.Status?.Refused is not null, "the backend's refusal");

        Assert.Multiple(() =>
        {
            Assert.That((client.Status!.Refused!.Field, client.Status.Refused.Rule), Is.EqualTo(("backend", "role")));
            Assert.That(client.Status.Refused.Message, Does.Contain("--role backend"));
            Assert.That((_run.Status!.Refused!.Field, _run.Status.Refused.Rule), Is.EqualTo(("workload", "role")));
            Assert.That(_run.Status.Refused.Message, Does.Contain("--role client"));
        });
    }

    [Test]
    public void Apply_ReaderOfTheKernelView_ReportsTheServerEndsAndNoListener()
    {
        var prepared = Prepare(view: KernelViewScope.OfListeners([new PortSpan(_port, _port + 1)], 0.5));
        Run(prepared);
        for (var i = 0; i < 40; i++)
            Connect(i % 2 == 0 ? IPAddress.Loopback : IPAddress.IPv6Loopback, _port + (i % 2));

        _run.WaitFor(() => _run.Samples.Any(s => s.Kernel?.States[TcpState.Established] == 40), "40 ESTABLISHED in the kernel");

        var reading = _run.Samples.Last(s => s.Kernel is { NamespaceOnly: false }).Kernel!;
        Assert.That(reading.States[TcpState.Listen], Is.Zero);
        Assert.That((reading.Foreign, reading.BySource.Count), Is.EqualTo((0L, 0)));
        Assert.That(_run.Samples.Select(s => s.Sockets), Is.All.Null);
        _run.Drain(prepared);
    }

    private Assignment Backend(bool greet = false, string runId = "run", KernelViewScope? view = null) =>
        _run.Hold(IPAddress.Loopback, _port, 0, 1) with
        {
            RunId = runId,
            Phase = Phase.Prepared,
            StartNanos = null,
            Backend = new([new PortSpan(_port, _port + 1)], greet),
            Share = 0,
            Slice = new([], [], TimeSpan.Zero),
            Destinations = [],
            KernelView = view,
        };

    private Assignment Prepare(bool greet = false, string runId = "run", KernelViewScope? view = null) => Prepare(Backend(greet, runId, view));

    private Assignment Prepare(Assignment backend)
    {
        _run.Apply(backend);
        _run.WaitFor(() => _run.Status is { Phase: Phase.Prepared } status && status.RunId == backend.RunId, "PREPARED");
        return backend;
    }

    private Assignment Running(Assignment prepared) =>
        _run.Next(prepared, a => a with { Phase = Phase.Running, StartNanos = Clock.BoottimeNanos });

    private void Run(Assignment prepared)
    {
        _run.Apply(Running(prepared));
        _run.WaitFor(() => _run.Status?.Phase == Phase.Running, "RUNNING");
    }

    private Socket Connect(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 60_000 };
        _clients.Add(socket);
        socket.Connect(address, port);
        return socket;
    }
}
