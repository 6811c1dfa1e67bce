using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

internal static partial class WireTranslation
{
    public static Wire.AttachResponse ToMessage(AgentAssignment assignment)
    {
        var message = new Wire.Assignment
        {
            RunId = assignment.RunId,
            Revision = new() { Epoch = assignment.Revision.Epoch, Number = assignment.Revision.Number },
            StoreId = assignment.StoreId,
            Phase = assignment.Phase,
            RequiredCapabilities = { assignment.RequiredCapabilities },
            DrainTimeout = assignment.DrainTimeout.ToDuration(),
            MaxDuration = assignment.MaxDuration.ToDuration(),
        };
        if (assignment.Backend is { } backend)
            message.Backend = new() { Ports = { backend.Ports.Select(ToMessage) }, Greet = backend.Greet, Http = backend.Http, Echo = backend.Echo };
        else
            AddWork(assignment, message);
        if (assignment.StartNanos is { } start)
            message.StartNanos = start;
        if (assignment.KernelView is { } duty)
            message.KernelView = new() { CoreShare = duty.CoreShare, Slices = { duty.Slices.Select(ToMessage) } };
        return new() { Assignment = message };
    }

    private static void AddWork(AgentAssignment assignment, Wire.Assignment message)
    {
        message.Share = (ulong)assignment.Share;
        message.Slice = ToMessage(assignment.Slice);
        message.Destinations.Add(assignment.Destinations.Select(ToMessage));
        message.Schedule = ToMessage(assignment.Schedule);
        message.Workload = ToMessage(assignment.Workload);
        message.Workload.ConnectTimeout = assignment.ConnectTimeout.ToDuration();
        message.Workload.ExpectGreeting = assignment.ExpectGreeting;
        if (assignment.Transport != TransportSpec.Plain)
            message.Transport = ToMessage(assignment.Transport);
        if (assignment.Storm is { } storm)
            message.Storm = ToMessage(storm);
        message.Provision.Add(assignment.Provision.Select(ToMessage));
    }

    private static Wire.ReconnectStorm ToMessage(RunStorm storm) => new()
    {
        Number = (ulong)storm.Number,
        Elapsed = storm.At.ToDuration(),
        Fraction = storm.Fraction,
        Within = storm.Within.ToDuration(),
        Close = storm.Close,
    };

    private static Wire.Destination ToMessage(Destination destination) => new()
    {
        Addresses = ToMessage(destination.Addresses),
        Ports = ToMessage(destination.Ports),
        Name = destination.Name,
        LookUp = destination.LookUp,
        Weight = (uint)destination.Weight,
    };

    private static Wire.ProvisionedSources ToMessage(AddedSources sources) => new()
    {
        Addresses = { sources.Addresses.Select(ToMessage) },
        Device = sources.Device,
        PrefixLength = (uint)sources.PrefixLength,
        Owner = sources.Owner,
    };

    private static Wire.Slice ToMessage(Slice slice) => new()
    {
        Blocks =
        {
            slice.Blocks.Select(b => new Wire.BlockRange
            {
                Sources = ToMessage(b.Sources),
                FirstPort = (uint)b.FirstPort,
                PortBlocks = (uint)b.PortBlocks,
                Retiring = b.Retiring,
            }),
        },
        ExcludedPorts = { slice.ExcludedPorts.Select(ToMessage) },
        Rest = slice.Rest.ToDuration(),
    };

    private static Wire.Schedule ToMessage(Schedule schedule) => new()
    {
        ConnectsPerSecond = schedule.ConnectsPerSecond,
        Points = { schedule.Points.Select(p => new Wire.SchedulePoint { Elapsed = p.Elapsed.ToDuration(), Goal = (ulong)p.Goal }) },
    };
}
