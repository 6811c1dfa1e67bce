using System.Net;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Protos;
using LoadHarness.V1;
using BlockRange = LoadHarness.V1.BlockRange;
using Clock = LoadHarness.Agent.Interop.Libc.Clock;
using Destination = LoadHarness.V1.Destination;
using SchedulePoint = LoadHarness.V1.SchedulePoint;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>What a sound coordinator sends, to be spoilt.</summary>
internal static class SoundMessages
{
    /// <summary>Grants a lease of 30 s.</summary>
    public static Welcome Welcome() => new()
    {
        SessionId = "session",
        StoreId = "store",
        Epoch = 1,
        Version = Protocol.Version,
        HeartbeatInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
        Lease = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
    };

    /// <summary>Holds some connections from two blocks of a source for an hour.</summary>
    public static Assignment Assignment(string run, ulong revision, IpAddress source, IPEndPoint target, int goal) => new()
    {
        RunId = run,
        Revision = new() { Epoch = 1, Number = revision },
        StoreId = "store",
        Phase = Phase.Running,
        RequiredCapabilities = { Capabilities.WorkloadHold, Capabilities.TransportTcp },
        Share = (ulong)goal,
        Slice = new()
        {
            Blocks =
            {
                new BlockRange
                {
                    Sources = new() { First = ByteString.CopyFrom(source.ToBytes()), Count = 1 },
                    FirstPort = 10_240,
                    PortBlocks = 2,
                },
            },
            Rest = Duration.FromTimeSpan(TimeSpan.FromSeconds(60)),
        },
        Destinations =
        {
            new Destination
            {
                Addresses = new() { First = ByteString.CopyFrom(target.Address.GetAddressBytes()), Count = 1 },
                Ports = new() { First = (uint)target.Port, Last = (uint)target.Port },
            },
        },
        Schedule = new() { ConnectsPerSecond = 100, Points = { Point(0, 0), Point(1, goal), Point(3600, goal) } },
        Workload = new() { Hold = new(), ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)) },
        StartNanos = Clock.BoottimeNanos,
        DrainTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
        MaxDuration = Duration.FromTimeSpan(TimeSpan.FromHours(2)),
    };

    private static SchedulePoint Point(int seconds, int goal) => new() { Elapsed = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)), Goal = (ulong)goal };
}
