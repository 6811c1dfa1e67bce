using System.Net;
using System.Net.Sockets;
using LoadHarness.Agent.Backend;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using SocketAddress = LoadHarness.Agent.Interop.Libc.SocketAddress;

namespace LoadHarness.Agent.Tests.Engine;

[Parallelizable(ParallelScope.All)]
public sealed class ReactorTests
{
    [Test]
    public void Start_RoleThrows_SaysWhyAndLeavesNoDescriptor()
    {
        var before = Descriptors();
        for (var i = 0; i < 100; i++)
        {
            using var fixture = new ReactorFixture(new ThrowingRole(ThrowAt.Start));
            Assert.That(fixture.Reactor.Start, Throws.InvalidOperationException.With.Message.Contains("on purpose"));
        }

        // Other tests start and end reactors meanwhile.
        Assert.That(Descriptors, Is.LessThan(before + 100).After(60_000, 50));
    }

    [Test]
    public void Post_ToAReactorThatHasFailed_NeverWaits()
    {
        using var fixture = new ReactorFixture(new ThrowingRole(ThrowAt.Command));
        fixture.Reactor.Start();
        var poster = new Thread(() =>
        {
            for (var i = 0; i < 1000; i++)
                fixture.Reactor.Post(new Numbered(0, 1));
        });
        poster.Start();

        Assert.Multiple(() =>
        {
            Assert.That(poster.Join(TimeSpan.FromSeconds(60)), Is.True);
            Assert.That(fixture.Reactor.Fault, Has.Message.EqualTo("on purpose"));
        });
    }

    [Test]
    public void Fault_WhileConnectionsAreHeld_ClosesThem()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var transport = new ScriptedTransport { Throws = false };
        using var fixture = ReactorFixture.Connecting(transport, target.EndPoint.Address, target.EndPoint.Port, 50, 1);
        fixture.WaitFor(c => c.Established == 50, "50 ESTABLISHED");

        transport.Throws = true;
        fixture.Reactor.Post(new ConnectCommand.Drain(TimeSpan.FromSeconds(5)));

        Assert.Multiple(() =>
        {
            Assert.That(() => fixture.Reactor.Fault, Is.Not.Null.After(60_000, 10));
            Assert.That(() => target.Ends, Has.Count.EqualTo(50).After(60_000, 10));
        });
    }

    [Test]
    public void ContinueLater_FinBehindUnreadData_IsNotForgotten()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Greet);
        // One turn never reads all: the FIN has come with the first event, and there is no second one.
        using var fixture = ReactorFixture.Connecting(new ScriptedTransport { DoneFirst = true }, IPAddress.Loopback, target.EndPoint.Port, 20, 4, TimeSpan.FromMinutes(1));

        var counters = fixture.WaitFor(c => c.ClosedByPeer >= 100, "100 closed by the peer");

        Assert.That(counters.ClosedByPeer, Is.LessThanOrEqualTo(counters.Opened));
    }

    [Test]
    public void ContinueLater_MoreUnfinishedSlotsThanFit_AllAreCalledAgain()
    {
        const int connections = 5000;
        var address = LoopbackAddress.Next();
        using var backend = new BackendServer(new BackendOptions { Listen = [(IpAddress.From(address), 7300)], Greet = true, Reactors = 1 });
        backend.Start();
        var transport = new ScriptedTransport { NeverFinishes = true };
        using var fixture = ReactorFixture.Connecting(transport, address, 7300, connections, 20);
        fixture.WaitFor(c => c.Established == connections, "5,000 ESTABLISHED");
        Assert.That(() => backend.Counts.Established, Is.EqualTo(connections).After(60_000, 20));

        transport.NeverFinishes = false;

        Assert.That(fixture.WaitFor(c => c.Confirmed == connections, "5,000 confirmed").BytesReceived, Is.EqualTo(connections));
    }

    [Test]
    public void AllocatedBytes_ThousandsOfOpensAndCloses_DoNotGrow()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, after: TimeSpan.FromMilliseconds(20));
        using var fixture = ReactorFixture.Connecting(new PlainTransport(), IPAddress.Loopback, target.EndPoint.Port, 100, 4);
        fixture.WaitFor(c => c.ClosedByPeer > 1000, "the first thousand");
        var before = fixture.AllocatedBytes();

        fixture.WaitFor(c => c.ClosedByPeer > 5000, "four thousand more");

        Assert.That(fixture.AllocatedBytes() - before, Is.Zero);
    }

    [Test]
    public void Post_ManyCommandsFromManyThreads_AllAreTakenInTheOrderOfEachThread()
    {
        var role = new RecordingRole();
        using var fixture = new ReactorFixture(role);
        fixture.Reactor.Start();

        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, thread =>
        {
            for (var i = 0; i < 2000; i++)
                fixture.Reactor.Post(new Numbered(thread, i));
        });
        fixture.Ask();

        Assert.Multiple(() =>
        {
            Assert.That(role.Commands, Has.Count.EqualTo(8000));
            for (var thread = 0; thread < 4; thread++)
                Assert.That(role.Commands.Where(c => c.Thread == thread).Select(c => c.Index), Is.EqualTo(Enumerable.Range(0, 2000)));
        });
    }

    // What a reactor is made of, and not the thousands of sockets that other tests have.
    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd")
        .Count(e => new FileInfo(e).LinkTarget?.StartsWith("anon_inode:", StringComparison.Ordinal) == true);

    private enum ThrowAt
    {
        Start,
        Command,
    }

    private sealed record Numbered(int Thread, int Index) : ReactorCommand;

    private class RecordingRole : IReactorRole
    {
        public List<Numbered> Commands { get; } = [];

        public virtual void OnStart(Reactor reactor)
        {
        }

        public virtual void OnCommand(ReactorCommand command) => Commands.Add((Numbered)command);

        public void OnEvents(int slot, uint events)
        {
        }

        public void OnExpired(int slot)
        {
        }

        public long Pace(long nowNanos) => long.MaxValue;

        public void OnSnapshot(ReactorSnapshot snapshot)
        {
        }

        public void Dispose()
        {
        }
    }

    private sealed class ThrowingRole(ThrowAt when) : RecordingRole
    {
        public override void OnStart(Reactor reactor)
        {
            if (when == ThrowAt.Start)
                throw new InvalidOperationException("on purpose");
        }

        public override void OnCommand(ReactorCommand command) => throw new InvalidOperationException("on purpose");
    }

    /// <summary>Plain TCP, until told otherwise.</summary>
    private sealed class ScriptedTransport : ITransport
    {
        private readonly PlainTransport _plain = new();
        private readonly Dictionary<int, bool> _called = [];
        private volatile bool _throws;
        private volatile bool _neverFinishes;

        public bool Throws { get => _throws; set => _throws = value; }

        public bool NeverFinishes { get => _neverFinishes; set => _neverFinishes = value; }

        /// <summary>Every second call says that the bound was met, without reading.</summary>
        public bool DoneFirst { get; init; }

        public TransportAnswer Open(int slot, in SocketAddress source, in SocketAddress destination, int number, out TransportFault fault) =>
            _plain.Open(slot, source, destination, number, out fault);

        public TransportAnswer Handshake(int slot, out TransportFault fault) => _plain.Handshake(slot, out fault);

        public TransportAnswer Send(int slot, ReadOnlySpan<byte> bytes, out int sent, out TransportFault fault) => _plain.Send(slot, bytes, out sent, out fault);

        public TransportAnswer Receive(int slot, Span<byte> buffer, out int received, out TransportFault fault) =>
            _plain.Receive(slot, buffer, out received, out fault);

        public TransportAnswer Discard(int slot, out long bytes, out TransportFault fault)
        {
            if (_throws)
                throw new InvalidOperationException("on purpose");
            (bytes, fault) = (0, default);
            _called[slot] = !_called.GetValueOrDefault(slot);
            return _neverFinishes || (DoneFirst && _called[slot]) ? TransportAnswer.Done : _plain.Discard(slot, out bytes, out fault);
        }

        public TransportAnswer Shutdown(int slot, out TransportFault fault) => _plain.Shutdown(slot, out fault);

        public void Dispose() => _plain.Dispose();
    }
}
