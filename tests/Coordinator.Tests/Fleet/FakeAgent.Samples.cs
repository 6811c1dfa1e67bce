using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Fleet;

internal sealed partial class FakeAgent
{
    // Every second that is over; the one that closing falls into ends with nothing open.
    private async Task SampleAsync(Assignment assignment, bool andClose)
    {
        await _sampling.WaitAsync();
        try
        {
            if (_sampledRun != assignment.RunId)
                (_sampledRun, _sampledSeconds, _established) = (assignment.RunId, 0, 0);
            var seconds = (_clock.Nanos - assignment.StartNanos) / 1_000_000_000;
            for (; _sampledSeconds < seconds; _sampledSeconds++)
            {
                if (SampleOf(assignment, _sampledSeconds) is { } sample)
                    await UploadAsync(sample);
            }

            if (andClose)
                await UploadAsync(MakeSample(assignment.RunId, _sampledSeconds++, 0));
        }
        finally
        {
            _sampling.Release();
        }
    }

    private Sample? SampleOf(Assignment assignment, long second)
    {
        // A backend is told no goal: what it accepts depends on others.
        var goal = assignment.Backend is null ? GoalAt(assignment.Schedule, TimeSpan.FromSeconds(second + 1)) : 0;
        if (Measure is { } measure)
            return measure(assignment, second, goal);
        var sample = MakeSample(assignment.RunId, second, goal, opened: Math.Max(0, goal - _established));
        _established = goal;
        if (assignment.KernelView is not null)
            AddKernel(sample, goal);
        return sample;
    }

    /// <summary>A sample of this second, with what its kernel counts while connections close.</summary>
    public Sample MakeDrainingSample(Assignment assignment, long left)
    {
        var sample = MakeSample(assignment.RunId, (_clock.Nanos - assignment.StartNanos) / 1_000_000_000, left);
        AddKernel(sample, left);
        return sample;
    }

    private static void AddKernel(Sample sample, long established)
    {
        sample.KernelView = new()
        {
            TakenAtMillis = sample.ToMillis,
            IntervalMillis = 1000,
            States = { new StateCount { State = TcpState.Established, Count = (ulong)established } },
        };
        sample.SocketCounts = new() { Whole = true, Sources = { Sockets(0, established) }, Destinations = { Sockets(443, established) } };
    }

    private static EndpointSockets Sockets(uint port, long established) => new()
    {
        Address = Google.Protobuf.ByteString.CopyFrom(127, 0, 0, 1),
        Port = port,
        States = { new StateCount { State = TcpState.Established, Count = (ulong)established } },
    };

    private static long GoalAt(LoadHarness.V1.Schedule schedule, TimeSpan elapsed) => new LoadHarness.Protos.Schedule(
        [.. schedule.Points.Select(p => new LoadHarness.Protos.SchedulePoint(p.Elapsed.ToTimeSpan(), (long)p.Goal))],
        schedule.ConnectsPerSecond).GoalAt(elapsed);
}
