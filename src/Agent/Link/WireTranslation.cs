using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Agent.Link;

/// <summary>Between the messages of AgentLink and the agent's own records: what goes out. See the other parts for what comes in.</summary>
internal static partial class WireTranslation
{
    public static Wire.AttachRequest ToHello(LinkOptions options, HostInventory inventory, AssignmentStatus? held)
    {
        var hello = new Wire.Hello
        {
            AgentId = options.AgentId,
            Incarnation = options.Incarnation,
            Role = options.Policy.Role,
            Labels = { options.Labels },
            Version = Protocol.Version,
            Capabilities = { Capabilities.All },
            Inventory = ToMessage(inventory, options.Policy),
        };
        if (held is not null)
            hello.Held = ToMessage(held);
        return new() { Hello = hello };
    }

    public static Wire.AttachRequest ToHeartbeat(ulong sequence, long sentNanos) =>
        new() { Heartbeat = new() { Sequence = sequence, SentNanos = sentNanos } };

    public static Wire.AttachRequest ToStatus(AssignmentStatus status) => new() { Status = ToMessage(status) };

    public static Wire.AttachRequest ToGoodbye(string reason) => new() { Goodbye = new() { Reason = reason } };

    public static Wire.UploadRequest ToUploadHello(LinkOptions options, string sessionId) =>
        new() { Hello = new() { AgentId = options.AgentId, Incarnation = options.Incarnation, SessionId = sessionId } };

    public static Wire.AttachRequest ToAnswer(RouteAnswer answer) => new()
    {
        RouteAnswer = new()
        {
            Id = answer.Id,
            Names = { answer.Names.Select(ToMessage) },
            Routes = { answer.Routes.Select(ToMessage) },
        },
    };

    private static Wire.ResolvedName ToMessage(ResolvedName name) =>
        new() { Name = name.Name, Addresses = { name.Addresses.Select(ToBytes) }, Error = name.Error };

    private static Wire.Route ToMessage(Route route) =>
        new() { Destination = ToBytes(route.Destination), Source = route.Source is { } source ? ToBytes(source) : ByteString.Empty };

    private static Wire.AssignmentStatus ToMessage(AssignmentStatus status)
    {
        var message = new Wire.AssignmentStatus
        {
            RunId = status.RunId,
            Revision = new() { Epoch = status.Revision.Epoch, Number = status.Revision.Number },
            StoreId = status.StoreId,
            Held = Count(status.Held),
            Findings = { status.Findings.Select(ToMessage) },
            ClockUncertaintyNanos = status.ClockUncertaintyNanos,
            EmptyBlocks = { status.EmptyBlocks.Select(b => ToMessage(b)) },
            GoneSources = { status.GoneSources.Select(ToBytes) },
        };
        if (status.StartNanos is { } start)
            message.ElapsedNanos = Clock.BoottimeNanos - start;
        if (status.Refused is { } refused)
            message.Refused = new() { Field = refused.Field, Rule = refused.Rule, Message = refused.Message };
        else if (status.Phase != Wire.Phase.Unspecified)
            message.Phase = status.Phase;
        return message;
    }

    private static Wire.Inventory ToMessage(HostInventory inventory, AgentPolicy policy) => new()
    {
        Hostname = inventory.Hostname,
        NetworkNamespace = inventory.NetworkNamespace,
        KernelRelease = inventory.KernelRelease,
        Cores = (uint)inventory.Cores,
        MemoryFreeBytes = Count(inventory.MemoryFreeBytes),
        ConnectionsPerReactor = (uint)inventory.ConnectionsPerReactor,
        PrivateDescriptorTables = inventory.PrivateDescriptorTables,
        Addresses = { inventory.Addresses.Select(ToMessage) },
        EphemeralPorts = inventory.EphemeralPorts is { } ephemeral ? ToMessage(ephemeral) : null,
        ReservedPorts = { inventory.ReservedPorts.Select(ToMessage) },
        ListeningPorts = { inventory.ListeningPorts.Select(ToMessage) },
        MaxTimeWaitBuckets = Count(inventory.MaxTimeWaitBuckets),
        TcpTimestamps = inventory.TcpTimestamps,
        Pid = Environment.ProcessId,
        Findings = { inventory.Findings.Select(ToMessage) },
        MaxConnections = Count(policy.MaxConnections),
        MaxConnectsPerSecond = policy.MaxConnectsPerSecond,
        AllowList = { policy.AllowList.Texts },
        FileMax = Count(inventory.FileMax),
        OpenFiles = Count(inventory.OpenFiles),
        TcpMemoryPages = { inventory.TcpMemoryPages.Select(Count) },
        PageBytes = (ulong)inventory.PageBytes,
        MaxOrphans = Count(inventory.MaxOrphans),
        Checks = { inventory.Checks.Select(ToMessage) },
        AllowProvision = { policy.AllowProvision.Texts },
    };

    private static Wire.HostAddress ToMessage(HostAddress address) => new()
    {
        Address = ToBytes(address.Address),
        PrefixLength = (uint)address.PrefixLength,
        Device = address.Device,
    };

    private static Wire.BlockRange ToMessage(BlockRange blocks) => new()
    {
        Sources = new() { First = ToBytes(blocks.Sources.First), Count = (uint)blocks.Sources.Count },
        FirstPort = (uint)blocks.FirstPort,
        PortBlocks = (uint)blocks.PortBlocks,
        Retiring = blocks.Retiring,
    };

    private static Wire.PortRange ToMessage(PortSpan ports) => new() { First = (uint)ports.First, Last = (uint)ports.Last };

    private static Wire.Finding ToMessage(AgentFinding finding) =>
        new() { Severity = finding.Severity, Subject = finding.Subject, Message = finding.Message };

    private static ByteString ToBytes(IpAddress address) => UnsafeByteOperations.UnsafeWrap(address.ToBytes());

    /// <summary>Counts are never negative; a gauge that fell below zero for a moment is sent as zero.</summary>
    private static ulong Count(long value) => (ulong)Math.Max(0, value);
}
