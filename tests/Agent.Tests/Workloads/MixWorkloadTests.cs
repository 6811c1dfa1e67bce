using System.Collections.Immutable;
using System.Net;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Workloads;

public sealed class MixWorkloadTests
{
    private const int Capacity = 1000;

    [Test]
    public void OnOpened_Weights_AreMetExactlyWhereTheyCanBe()
    {
        using var mix = new Mix(80, 15, 5);
        mix.Open(Enumerable.Range(0, 100));

        Assert.That(mix.Kinds.Select(k => k.Slots.Count), Is.EqualTo(new[] { 80, 15, 5 }));
    }

    [Test]
    public void OnOpened_AtAnyNumber_NoKindIsAWholeOneAwayFromItsShare()
    {
        using var mix = new Mix(7, 2, 1);

        for (var n = 1; n <= 200; n++)
        {
            mix.Open([n]);
            Assert.That(
                mix.Kinds.Zip([0.7, 0.2, 0.1], (k, share) => Math.Abs(k.Slots.Count - (share * n))), Has.All.LessThan(1), $"after {n}");
        }
    }

    [TestCase(0.01)]
    [TestCase(0.99)]
    public void OnOpened_AnyRounding_SharesThatAreWholeAreMetExactly(double rounding)
    {
        using var mix = new Mix(rounding, 80, 15, 5);
        mix.Open(Enumerable.Range(0, 200));

        Assert.That(mix.Kinds.Select(k => k.Slots.Count), Is.EqualTo(new[] { 160, 30, 10 }));
    }

    [TestCase(0.0)]
    [TestCase(0.4)]
    [TestCase(0.9)]
    public void OnOpened_OnManyReactors_AKindThatIsDueLessThanHalfAConnectionOnEachIsThere(double first)
    {
        const int reactors = 32;
        const int each = 31;
        var small = 0;
        for (var i = 0; i < reactors; i++)
        {
            using var mix = new Mix(GoldenSteps.At(i, first), 99, 1);
            mix.Open(Enumerable.Range(0, each));
            small += mix.Kinds[1].Slots.Count;
        }

        Assert.That(small, Is.EqualTo(reactors * each / 100.0).Within(1.5), "one in a hundred");
    }

    [Test]
    public void OnOpened_AfterAllOfAKindHaveEnded_ReplacesThem()
    {
        using var mix = new Mix(80, 15, 5);
        mix.Open(Enumerable.Range(0, 100));

        var gone = mix.Kinds[2].Slots.ToList();
        gone.ForEach(mix.Workload.OnLeft);
        mix.Open(gone);

        Assert.That(mix.Kinds[2].Slots, Is.EquivalentTo(gone));
    }

    [Test]
    public void Calls_OfASlot_GoToItsKindAlone()
    {
        using var mix = new Mix(1, 1);
        mix.Open([10, 11]);
        var (one, other) = mix.Kinds[0].Slots.Contains(10) ? (mix.Kinds[0], mix.Kinds[1]) : (mix.Kinds[1], mix.Kinds[0]);
        one.Closes = false;
        one.Answer = TransportAnswer.Failed;
        one.Stage = FailureStage.Response;
        var fault = TransportFault.Fin;

        mix.Workload.OnWritable(10);

        Assert.Multiple(() =>
        {
            Assert.That((mix.Workload.MayClose(10), mix.Workload.MayClose(11)), Is.EqualTo((false, true)));
            Assert.That((mix.Workload.OnReadable(10, out _), mix.Workload.OnReadable(11, out _)), Is.EqualTo((TransportAnswer.Failed, TransportAnswer.Again)));
            Assert.That((mix.Workload.OnPeerEnded(10, ref fault), mix.Workload.OnPeerEnded(11, ref fault)), Is.EqualTo((FailureStage.Response, FailureStage.Hold)));
            Assert.That(one.Writable, Is.EqualTo(new[] { 10 }));
            Assert.That(other.Writable, Is.Empty);
        });
    }

    [Test]
    public void Pace_IsTheEarliestOfAll_AndAllAreTold()
    {
        using var mix = new Mix(1, 1, 1);
        (mix.Kinds[0].Next, mix.Kinds[1].Next, mix.Kinds[2].Next) = (long.MaxValue, 700, 900);

        mix.Workload.OnDrain();
        mix.Workload.OnSnapshot(new ReactorSnapshot());

        Assert.That(mix.Workload.Pace(500), Is.EqualTo(700));
        Assert.That(mix.Kinds.Select(k => (k.Drains, k.Snapshots, k.PacedAt)), Has.All.EqualTo((1, 1, 500)));
    }

    /// <summary>A mix of kinds that only note what they are told, on a reactor that does not run.</summary>
    private sealed class Mix : IConnections, IDisposable
    {
        private readonly EventFd _bell = new();

        public Mix(params int[] weights)
            : this(0.5, weights)
        {
        }

        public Mix(double rounding, params int[] weights)
        {
            Kinds = [.. weights.Select(_ => new NotingWorkload())];
            Workload = new MixWorkload([.. weights.Zip(Kinds, (weight, kind) => (weight, (IWorkload)kind))], rounding);
            var role = new ConnectRole(new EndpointCursor([(IpAddress.From(IPAddress.Loopback), 1)], [], default), Transport, Workload, new(), Agent.Safety.AllowList.Loopback.ToTable());
            Reactor = new Reactor(0, Capacity, privateTable: false, role, _bell);
            Workload.OnStart(this);
        }

        public ImmutableArray<NotingWorkload> Kinds { get; }

        public MixWorkload Workload { get; }

        public Reactor Reactor { get; }

        public ITransport Transport { get; } = new PlainTransport();

        public Latencies Latencies { get; } = new();

        public double RequestsPerSecond => 0;

        public bool IsDraining => false;

        public bool StopsFins => false;

        public void Open(IEnumerable<int> slots)
        {
            foreach (var slot in slots)
                Workload.OnOpened(slot);
        }

        public void End(int slot, bool byReset) => throw new NotSupportedException();

        public void Fail(int slot, FailureStage stage, TransportFault fault) => throw new NotSupportedException();

        public void Dispose()
        {
            Reactor.Dispose();
            _bell.Dispose();
            Assert.That(Kinds.Select(k => k.Disposals), Has.All.EqualTo(1));
        }
    }

    private sealed class NotingWorkload : IWorkload
    {
        public HashSet<int> Slots { get; } = [];

        public List<int> Writable { get; } = [];

        public bool Closes { get; set; } = true;

        public TransportAnswer Answer { get; set; } = TransportAnswer.Again;

        public FailureStage Stage { get; set; } = FailureStage.Hold;

        public long Next { get; set; }

        public long PacedAt { get; private set; }

        public int Drains { get; private set; }

        public int Snapshots { get; private set; }

        public int Disposals { get; private set; }

        public void OnStart(IConnections connections)
        {
        }

        public void OnOpened(int slot) => Slots.Add(slot);

        public void OnLeft(int slot) => Slots.Remove(slot);

        public TransportAnswer OnReadable(int slot, out TransportFault fault)
        {
            fault = default;
            return Answer;
        }

        public void OnWritable(int slot) => Writable.Add(slot);

        public FailureStage? OnPeerEnded(int slot, ref TransportFault fault) => Stage;

        public bool MayClose(int slot) => Closes;

        public void OnDrain() => Drains++;

        public long Pace(long nowNanos)
        {
            PacedAt = nowNanos;
            return Next;
        }

        public void OnSnapshot(ReactorSnapshot snapshot) => Snapshots++;

        public void Dispose() => Disposals++;
    }
}
