using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Protos;
using LoadHarness.V1;
using BlockRange = LoadHarness.V1.BlockRange;
using Destination = LoadHarness.V1.Destination;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>Messages as a coordinator makes them.</summary>
internal static class WireSamples
{
    /// <summary>A RUNNING assignment with every field set.</summary>
    public static Assignment Assignment() => new()
    {
        RunId = "run-1",
        Revision = new() { Epoch = 3, Number = 7 },
        StoreId = "store",
        Phase = Phase.Running,
        RequiredCapabilities = { Capabilities.WorkloadHold, Capabilities.TransportTcp },
        Share = 5000,
        Slice = Slice(),
        Destinations =
        {
            new Destination { Addresses = Range(10, 0, 0, 5, count: 2), Ports = new() { First = 443, Last = 450 }, Name = "lb:443-450" },
        },
        Schedule = new()
        {
            ConnectsPerSecond = 1000,
            Points = { Point(0, 0), Point(10, 5000), Point(70, 5000), Point(70, 0) },
        },
        Workload = new() { Hold = new(), ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)), ExpectGreeting = true },
        StartNanos = 123_456_789,
        DrainTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(11)),
        MaxDuration = Duration.FromTimeSpan(TimeSpan.FromHours(24)),
        KernelView = new() { CoreShare = 0.1, Slices = { Slice() } },
    };

    public static AddressRange Range(byte a, byte b, byte c, byte d, uint count) =>
        new() { First = ByteString.CopyFrom(a, b, c, d), Count = count };

    private static LoadHarness.V1.Slice Slice() => new()
    {
        Blocks = { new BlockRange { Sources = Range(10, 0, 1, 0, count: 4), FirstPort = 1024, PortBlocks = 200 } },
        ExcludedPorts = { new PortRange { First = 8080, Last = 8090 } },
        Rest = Duration.FromTimeSpan(TimeSpan.FromSeconds(60)),
    };

    private static LoadHarness.V1.SchedulePoint Point(int seconds, ulong goal) =>
        new() { Elapsed = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)), Goal = goal };
}
