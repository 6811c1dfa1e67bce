using System.Collections.Concurrent;
using System.Collections.Immutable;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Assignment = LoadHarness.Agent.Assignments.Assignment;
using AssignmentStatus = LoadHarness.Agent.Assignments.AssignmentStatus;
using BlockRange = LoadHarness.Protos.BlockRange;
using Destination = LoadHarness.Protos.Destination;
using Revision = LoadHarness.Protos.Revision;
using Schedule = LoadHarness.Protos.Schedule;
using SchedulePoint = LoadHarness.Protos.SchedulePoint;
using Slice = LoadHarness.Protos.Slice;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>The runner with real reactors, in this process, with sources that no other test uses.</summary>
internal sealed class RunnerFixture : IDisposable
{
    private const int FirstSourcePort = 10_240;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private ulong _revision;

    /// <param name="resolve">What names mean; null: no name is asked for.</param>
    /// <param name="policy">What the agent's user allows; null: loopback.</param>
    /// <param name="memory">What memory is left; null: what this host has.</param>
    public RunnerFixture(Func<string, System.Net.IPAddress[]>? resolve = null, AgentPolicy? policy = null, Func<MemoryReading?>? memory = null)
    {
        var clock = new CoordinatorClock();
        clock.Observe(0, 0, 0);
        Runner = new AssignmentRunner(clock, Lease, policy ?? new AgentPolicy(AllowList.Loopback), TakeSample, NullLoggerFactory.Instance,
            new NameLookup(resolve ?? (name => throw new InvalidOperationException(name)), TimeSpan.FromSeconds(60)), readMemory: memory);
        Runner.StatusChanged += () => Statuses.Enqueue(Runner.Status!);
    }

    public AssignmentRunner Runner { get; }

    public Lease Lease { get; } = new();

    public ConcurrentQueue<AgentSample> Samples { get; } = new();

    /// <summary>Called with each sample, on the runner's thread.</summary>
    public Action<AgentSample>? Sampled { get; set; }

    public ConcurrentQueue<AssignmentStatus> Statuses { get; } = new();

    public IpAddress Source { get; init; } = IpAddress.From(LoopbackAddress.Next());

    /// <summary>Sources in a row from <see cref="Source"/> on.</summary>
    public int Sources { get; init; } = 1;

    public AssignmentStatus? Status => Runner.Status;

    public AgentSample? Last => Samples.LastOrDefault();

    /// <summary>Counts of the last sample.</summary>
    public Counts Now => Last?.Counts ?? default;

    /// <summary>What the samples so far say in all.</summary>
    public long Sum(Func<Counts, long> counter) => Samples.Sum(s => counter(s.Counts));

    /// <summary>Failures so far by stage, party and cause.</summary>
    public Dictionary<(FailureStage, FailureParty, FailureCause), long> Failures => Samples.SelectMany(s => s.Failures)
        .GroupBy(f => (f.Stage, f.Party, f.Cause)).ToDictionary(g => g.Key, g => g.Sum(f => f.Count));

    /// <summary>A hold that ramps up at its rate; each call makes a newer revision.</summary>
    /// <param name="port">First port of the target, on the address that <paramref name="target"/> names.</param>
    public Assignment Hold(System.Net.IPAddress target, int port, long connections, double rate, int ports = 1, int portBlocks = 1) => new()
    {
        RunId = "run",
        Revision = new Revision(1, ++_revision),
        StoreId = "store",
        Phase = Phase.Running,
        Share = connections,
        Slice = new Slice([new BlockRange(new IpRange(Source, Sources), FirstSourcePort, portBlocks)], [], TimeSpan.FromSeconds(60)),
        Destinations = [new Destination(new IpRange(IpAddress.From(target), 1), new PortSpan(port, port + ports - 1), "")],
        Schedule = Ramp(TimeSpan.Zero, 0, connections, rate),
        ConnectTimeout = TimeSpan.FromSeconds(20),
        StartNanos = Clock.BoottimeNanos,
        DrainTimeout = TimeSpan.FromSeconds(20),
        MaxDuration = TimeSpan.FromHours(1),
    };

    /// <summary>From one goal to another at a rate, then level.</summary>
    public static Schedule Ramp(TimeSpan from, long begin, long end, double rate) => new(
        [new SchedulePoint(from, begin), new(from + TimeSpan.FromSeconds(Math.Abs(end - begin) / rate), end), new(TimeSpan.FromHours(1), end)], rate);

    /// <summary>The same run again under a newer revision, changed.</summary>
    public Assignment Next(Assignment before, Func<Assignment, Assignment> change) =>
        change(before with { Revision = new Revision(1, ++_revision) });

    public void Apply(Assignment assignment) => Runner.Apply(assignment);

    /// <summary>Applies an assignment and waits until its goal is ESTABLISHED.</summary>
    public Assignment Reach(Assignment assignment)
    {
        Apply(assignment);
        var goal = assignment.Schedule.Points[^1].Goal;
        WaitFor(() => Status?.Revision == assignment.Revision && Now.Established == goal, $"{goal} ESTABLISHED");
        return assignment;
    }

    /// <summary>Waits for an answer that stands for a moment only, and is therefore looked for among all that were given.</summary>
    public AssignmentStatus WaitForAnswer(Func<AssignmentStatus, bool> condition, string what)
    {
        WaitFor(() => Statuses.Any(condition), what);
        return Statuses.First(condition);
    }

    /// <summary>Asks for DRAINED and waits for it.</summary>
    public AssignmentStatus Drain(Assignment assignment, TimeSpan? timeout = null)
    {
        var last = Next(assignment, a => a with { Phase = Phase.Drained, DrainTimeout = timeout ?? a.DrainTimeout });
        Apply(last);
        WaitFor(() => Status is { Phase: Phase.Drained } status && status.Revision == last.Revision, "DRAINED");
        return Status!;
    }

    public void WaitFor(Func<bool> condition, string what)
    {
        var end = Clock.BoottimeNanos + (_patience.Ticks * 100);
        while (!condition())
        {
            if (Clock.BoottimeNanos > end)
                Assert.Fail($"waited for {what}; status {Status}; findings {string.Join("; ", Status?.Findings ?? [])}; last sample {Last}; failures {string.Join("; ", Failures)}");
            Thread.Sleep(10);
        }
    }

    public void Dispose() => Runner.Dispose();

    private void TakeSample(AgentSample sample)
    {
        Samples.Enqueue(sample);
        Sampled?.Invoke(sample);
    }
}
