using System.Collections.Immutable;
using Google.Protobuf;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

internal static partial class WireTranslation
{
    /// <summary>Reads a sample as it came over the wire.</summary>
    /// <param name="stored">Its bytes.</param>
    /// <param name="agent">Who measured it, in the process life that did.</param>
    /// <exception cref="WireException">It is something else.</exception>
    public static AgentSample ToSample(byte[] stored, AgentHello agent)
    {
        try
        {
            return ToSample(Wire.Sample.Parser.ParseFrom(stored), agent);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new WireException("sample", $"the stored one cannot be read: {e.Message}");
        }
    }

    /// <summary>As the store keeps it: without a key, and so without the certificate that it belongs to.</summary>
    public static byte[] ToBytes(AgentAssignment assignment)
    {
        var message = ToMessage(assignment).Assignment;
        if (message.Transport?.Tls is { } tls)
            (tls.Certificate, tls.Key) = (ByteString.Empty, ByteString.Empty);
        return message.ToByteArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    /// <exception cref="WireException">It is something else.</exception>
    public static AgentAssignment ToAssignment(byte[] stored)
    {
        try
        {
            var message = Wire.Assignment.Parser.ParseFrom(stored);
            var assignment = new AgentAssignment
            {
                RunId = message.RunId,
                Revision = new Revision(message.Revision.Epoch, message.Revision.Number),
                StoreId = message.StoreId,
                Phase = message.Phase,
                RequiredCapabilities = [.. message.RequiredCapabilities],
                DrainTimeout = message.DrainTimeout.ToTimeSpan(),
                MaxDuration = message.MaxDuration.ToTimeSpan(),
                StartNanos = message.HasStartNanos ? message.StartNanos : null,
                KernelView = message.KernelView is { } view ? new([.. view.Slices.Select(ToSlice)], view.CoreShare) : null,
            };
            return message.Backend is { } backend
                ? assignment with { Backend = new(ToPorts(backend.Ports, "backend.ports"), backend.Greet) }
                : assignment with
                {
                    Share = Count(message.Share, "share"),
                    Slice = ToSlice(message.Slice),
                    Destinations = [.. message.Destinations.Select(ToDestination)],
                    Schedule = ToSchedule(message.Schedule),
                    Workload = ToWorkload(message.Workload),
                    Transport = message.Transport is { } transport ? ToTransport(transport) : TransportSpec.Plain,
                    Storm = message.Storm is { } storm ? ToStorm(storm) : null,
                    Provision = [.. message.Provision.Select(ToSources)],
                    ConnectTimeout = message.Workload.ConnectTimeout.ToTimeSpan(),
                    ExpectGreeting = message.Workload.ExpectGreeting,
                };
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or NullReferenceException
            or InvalidOperationException or OverflowException)
        {
            throw new WireException("assignment", $"the stored one cannot be read: {e.Message}");
        }
    }

    private static RunStorm ToStorm(Wire.ReconnectStorm storm) =>
        new((int)storm.Number, storm.Elapsed.ToTimeSpan(), storm.Fraction, storm.Within.ToTimeSpan(), storm.Close);

    private static Destination ToDestination(Wire.Destination destination) => new(
        ToRange(destination.Addresses), ToPorts(destination.Ports, "destinations.ports"), destination.Name, destination.LookUp,
        Math.Max(1, (int)destination.Weight));

    private static AddedSources ToSources(Wire.ProvisionedSources sources) => new(
        [.. sources.Addresses.Select(ToRange)], sources.Device, (int)sources.PrefixLength, sources.Owner);

    private static BlockRange ToBlock(Wire.BlockRange block) =>
        new(ToRange(block.Sources), (int)block.FirstPort, (int)block.PortBlocks, block.Retiring);

    private static Slice ToSlice(Wire.Slice slice) => new(
        [.. slice.Blocks.Select(ToBlock)],
        ToPorts(slice.ExcludedPorts, "slice.excluded_ports"),
        slice.Rest.ToTimeSpan());

    private static Schedule ToSchedule(Wire.Schedule schedule) => new(
        [.. schedule.Points.Select(p => new SchedulePoint(p.Elapsed.ToTimeSpan(), Count(p.Goal, "schedule.points.goal")))],
        schedule.ConnectsPerSecond);

    private static IpRange ToRange(Wire.AddressRange range) => new(ToAddress(range.First, "address_range.first"), range.Count);
}
