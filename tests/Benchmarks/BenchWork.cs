using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.V1;

namespace LoadHarness.Benchmarks;

/// <summary>Assignments of benchmarks.</summary>
internal static class BenchWork
{
    /// <summary>Connections from sources to consecutive ports of 127.0.0.1, as fast as they go, held until the assignment says DRAINED.</summary>
    /// <param name="connections">How many.</param>
    /// <param name="sources">From 127.5.0.1 on: others than those of million, whose TIME-WAIT forbids its ports to us.</param>
    /// <param name="ports">From the sink's first one on.</param>
    public static Assignment Of(int connections, int sources, int ports)
    {
        var assignment = new Assignment
        {
            RunId = "bench",
            StoreId = "bench",
            Share = (ulong)connections,
            Slice = new Slice { Rest = Duration.FromTimeSpan(TimeSpan.Zero) },
            Schedule = new Schedule { ConnectsPerSecond = 1e7, Points = { new SchedulePoint { Elapsed = Duration.FromTimeSpan(TimeSpan.Zero), Goal = (ulong)connections } } },
            Workload = new Workload { Hold = new Hold(), ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)) },
            DrainTimeout = Duration.FromTimeSpan(TimeSpan.Zero),
            MaxDuration = Duration.FromTimeSpan(TimeSpan.FromMinutes(5)),
        };
        assignment.Destinations.Add(new Destination
        {
            Addresses = Range(127, 0, 0, 1, 1),
            Ports = new PortRange { First = LimitPrograms.FirstPort, Last = LimitPrograms.FirstPort + (uint)ports - 1 },
        });
        assignment.Slice.Blocks.Add(new BlockRange
        {
            Sources = Range(127, 5, 0, 1, (uint)sources),
            FirstPort = 10_240,
            PortBlocks = (uint)Math.Max(1, (connections + (256 * sources * ports) - 1) / (256 * sources * ports)),
        });
        return assignment;
    }

    /// <summary>The same, and they send requests.</summary>
    public static Assignment Requesting(Assignment assignment, RequestLoad load)
    {
        var copy = assignment.Clone();
        copy.Workload.Http = new Http { Method = "GET", Path = "/", Host = "x", Load = load, Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)) };
        return copy;
    }

    /// <summary>The same, and they end again and again.</summary>
    public static Assignment Churning(Assignment assignment, CloseMethod close, TimeSpan lifetime)
    {
        var copy = assignment.Clone();
        copy.Workload.Churn = new Churn { Lifetime = Duration.FromTimeSpan(lifetime), Close = close };
        return copy;
    }

    /// <summary>The same work with another goal.</summary>
    public static Assignment WithGoal(Assignment assignment, ulong goal)
    {
        var copy = assignment.Clone();
        copy.Schedule.Points[0].Goal = goal;
        return copy;
    }

    private static AddressRange Range(byte a, byte b, byte c, byte d, uint count) => new() { First = ByteString.CopyFrom(a, b, c, d), Count = count };
}
