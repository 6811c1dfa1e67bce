using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>Between the messages of AgentLink and the fleet's own records. What comes in is checked here, once.</summary>
internal static partial class WireTranslation
{
    private const int MaxIdentity = 128;
    private const int MaxText = 4096;
    private const int MaxEntries = 100_000;
    private const int MaxLabels = 100;
    private const int MaxCapabilities = 200;
    private const int MaxFindings = 100;
    private const int MaxSubject = 128;
    private const int MaxStates = 64;

    public static AgentHello ToHello(Wire.Hello hello)
    {
        var major = hello.Version?.Major ?? 0;
        if (major != Protocol.Major)
        {
            throw new WireException("version",
                $"this agent speaks version {major} of the contract, the coordinator version {Protocol.Major}; "
                + "install the same release on both sides",
                Wire.Refusal.Types.Code.Version);
        }

        if (hello.Role is not (Wire.AgentRole.Client or Wire.AgentRole.Backend))
            throw new WireException("role", $"role {(int)hello.Role} is unknown; client or backend is wanted");
        return new AgentHello
        {
            AgentId = Identity(hello.AgentId, "agent_id"),
            Incarnation = Name(hello.Incarnation, "incarnation"),
            Role = hello.Role,
            Version = new(major, hello.Version!.Minor),
            Labels = Few(hello.Labels.ToArray(), "labels", MaxLabels).ToImmutableSortedDictionary(
                l => Label(l.Key), l => Label(l.Value), StringComparer.Ordinal),
            Capabilities = [.. Few(hello.Capabilities, "capabilities", MaxCapabilities).Select(c => Bounded(c, "capabilities"))],
            Inventory = ToInventory(hello.Inventory ?? throw new WireException("inventory", "it is missing")),
            Held = hello.Held is { RunId.Length: > 0 } held ? ToStatus(held, "held.") : null,
        };
    }

    public static AgentStatus ToStatus(Wire.AssignmentStatus status, string path = "status.") => new()
    {
        RunId = Name(status.RunId, path + "run_id"),
        Revision = new(status.Revision?.Epoch ?? 0, status.Revision?.Number ?? 0),
        Phase = status.OutcomeCase == Wire.AssignmentStatus.OutcomeOneofCase.Phase ? status.Phase : Wire.Phase.Unspecified,
        Refused = status.OutcomeCase == Wire.AssignmentStatus.OutcomeOneofCase.Refused ? ToRefusal(status.Refused, path) : null,
        Held = Count(status.Held, path + "held"),
        Findings = ToFindings(status.Findings),
        EmptyBlocks = [.. Few(status.EmptyBlocks, path + "empty_blocks").Select(b => ToEmptyBlock(b, path + "empty_blocks"))],
        GoneSources = [.. Few(status.GoneSources, path + "gone_sources").Select(a => ToAddress(a, path + "gone_sources"))],
        Elapsed = status.HasElapsedNanos ? new(status.ElapsedNanos / TimeSpan.NanosecondsPerTick) : null,
        ClockUncertainty = new(Math.Max(0, status.ClockUncertaintyNanos) / TimeSpan.NanosecondsPerTick),
    };

    public static Wire.AttachResponse ToWelcome(AgentSession session, FleetOptions options) => new()
    {
        Welcome = new()
        {
            SessionId = session.Id,
            HeartbeatInterval = options.HeartbeatInterval.ToDuration(),
            Lease = options.Lease.ToDuration(),
            StoreId = options.StoreId,
            Epoch = options.Epoch,
            Version = Protocol.Version,
        },
    };

    public static Wire.AttachResponse ToRefusal(Wire.Refusal.Types.Code code, string message) =>
        new() { Refusal = new() { Code = code, Message = message } };

    public static Wire.AttachResponse ToReply(HeartbeatEcho echo, long coordinatorNanos) => new()
    {
        HeartbeatReply = new() { Sequence = echo.Sequence, SentNanos = echo.SentNanos, CoordinatorNanos = coordinatorNanos },
    };

    public static Wire.Inventory ToMessage(HostInventory inventory) => new()
    {
        Hostname = inventory.Hostname,
        NetworkNamespace = inventory.NetworkNamespace,
        KernelRelease = inventory.KernelRelease,
        Cores = (uint)inventory.Cores,
        MemoryFreeBytes = (ulong)inventory.MemoryFreeBytes,
        ConnectionsPerReactor = (uint)inventory.ConnectionsPerReactor,
        PrivateDescriptorTables = inventory.PrivateDescriptorTables,
        Addresses = { inventory.Addresses.Select(ToMessage) },
        EphemeralPorts = inventory.EphemeralPorts is { } ephemeral ? ToMessage(ephemeral) : null,
        ReservedPorts = { inventory.ReservedPorts.Select(ToMessage) },
        ListeningPorts = { inventory.ListeningPorts.Select(ToMessage) },
        MaxTimeWaitBuckets = (ulong)inventory.MaxTimeWaitBuckets,
        TcpTimestamps = inventory.TcpTimestamps,
        Pid = inventory.ProcessId,
        Findings = { inventory.Findings.Select(ToMessage) },
        MaxConnections = (ulong)inventory.MaxConnections,
        MaxConnectsPerSecond = inventory.MaxConnectsPerSecond,
        AllowList = { inventory.AllowList },
        AllowProvision = { inventory.AllowProvision },
        FileMax = (ulong)inventory.FileMax,
        OpenFiles = (ulong)inventory.OpenFiles,
        TcpMemoryPages = { inventory.TcpMemoryPages.Select(p => (ulong)p) },
        PageBytes = (ulong)inventory.PageBytes,
        MaxOrphans = (ulong)inventory.MaxOrphans,
        Checks = { inventory.Checks.Select(ToMessage) },
    };

    private static HostInventory ToInventory(Wire.Inventory inventory) => new()
    {
        Hostname = Bounded(inventory.Hostname, "inventory.hostname"),
        NetworkNamespace = Name(inventory.NetworkNamespace, "inventory.network_namespace"),
        KernelRelease = Bounded(inventory.KernelRelease, "inventory.kernel_release"),
        Cores = Positive(inventory.Cores, "inventory.cores"),
        MemoryFreeBytes = Count(inventory.MemoryFreeBytes, "inventory.memory_free_bytes"),
        ConnectionsPerReactor = Positive(inventory.ConnectionsPerReactor, "inventory.connections_per_reactor"),
        PrivateDescriptorTables = inventory.PrivateDescriptorTables,
        Addresses = [.. Few(inventory.Addresses, "inventory.addresses").Select(ToHostAddress)],
        EphemeralPorts = inventory.EphemeralPorts is { } ephemeral ? ToPorts(ephemeral, "inventory.ephemeral_ports") : null,
        ReservedPorts = ToPorts(inventory.ReservedPorts, "inventory.reserved_ports"),
        ListeningPorts = ToPorts(inventory.ListeningPorts, "inventory.listening_ports"),
        MaxTimeWaitBuckets = Count(inventory.MaxTimeWaitBuckets, "inventory.max_time_wait_buckets"),
        TcpTimestamps = inventory.TcpTimestamps,
        ProcessId = inventory.Pid,
        Findings = ToFindings(inventory.Findings),
        MaxConnections = Count(inventory.MaxConnections, "inventory.max_connections"),
        MaxConnectsPerSecond = inventory.MaxConnectsPerSecond is >= 0 and < double.PositiveInfinity
            ? inventory.MaxConnectsPerSecond
            : throw new WireException("inventory.max_connects_per_second", $"{inventory.MaxConnectsPerSecond} is no rate"),
        AllowProvision = [.. Few(inventory.AllowProvision, "inventory.allow_provision").Select(a => Bounded(a, "inventory.allow_provision"))],
        AllowList = [.. Few(inventory.AllowList, "inventory.allow_list").Select(a => Bounded(a, "inventory.allow_list"))],
        FileMax = Count(inventory.FileMax, "inventory.file_max"),
        OpenFiles = Count(inventory.OpenFiles, "inventory.open_files"),
        TcpMemoryPages = [.. Few(inventory.TcpMemoryPages, "inventory.tcp_memory_pages").Select(p => Count(p, "inventory.tcp_memory_pages"))],
        PageBytes = Count(inventory.PageBytes, "inventory.page_bytes"),
        MaxOrphans = Count(inventory.MaxOrphans, "inventory.max_orphans"),
        Checks = ToChecks(inventory.Checks, "inventory.checks"),
    };

    private static HostAddress ToHostAddress(Wire.HostAddress address) => new(
        ToAddress(address.Address, "inventory.addresses"),
        (int)Math.Min(address.PrefixLength, 128),
        Bounded(address.Device, "inventory.addresses.device"));

    private static BlockRange ToEmptyBlock(Wire.BlockRange block, string path) =>
        block is { FirstPort: <= 65280, PortBlocks: >= 1 and <= 256, Sources.Count: > 0 }
            ? new(new(ToAddress(block.Sources.First, path + ".sources.first"), block.Sources.Count), (int)block.FirstPort, (int)block.PortBlocks)
            : throw new WireException(path, $"{block.PortBlocks} blocks from port {block.FirstPort} on are no blocks");

    private static AgentRefusal ToRefusal(Wire.AssignmentRefusal refusal, string path) => new(
        Bounded(refusal.Field, path + "refused.field"),
        Bounded(refusal.Rule, path + "refused.rule"),
        Bounded(refusal.Message, path + "refused.message"));

    // For people: what nobody would read is cut off, and no reason to part with an agent.
    private static ImmutableArray<AgentFinding> ToFindings(IReadOnlyCollection<Wire.Finding> findings) =>
        [.. findings.Take(MaxFindings).Select(f => new AgentFinding(f.Severity, Cut(f.Subject, MaxSubject), Cut(f.Message, MaxText)))];

    private static string Cut(string text, int most) =>
        string.Concat(text.Take(most).Select(c => char.IsControl(c) ? ' ' : c)) + (text.Length > most ? "..." : "");

    private static ImmutableArray<PortSpan> ToPorts(IReadOnlyCollection<Wire.PortRange> ports, string path) =>
        [.. Few(ports, path).Select(p => ToPorts(p, path))];

    private static PortSpan ToPorts(Wire.PortRange ports, string path) => ports.First <= ports.Last && ports.Last <= 65535
        ? new((int)ports.First, (int)ports.Last)
        : throw new WireException(path, $"{ports.First}-{ports.Last} is no range of ports");

    private static IpAddress ToAddress(ByteString bytes, string path) => bytes.Length is 4 or 16
        ? IpAddress.FromBytes(bytes.Span)
        : throw new WireException(path, $"an address has 4 or 16 bytes, not {bytes.Length}");

    private static Wire.HostAddress ToMessage(HostAddress address) => new()
    {
        Address = ByteString.CopyFrom(address.Address.ToBytes()),
        PrefixLength = (uint)address.PrefixLength,
        Device = address.Device,
    };

    private static Wire.Finding ToMessage(AgentFinding finding) =>
        new() { Severity = finding.Severity, Subject = finding.Subject, Message = finding.Message };

    private static Wire.PortRange ToMessage(PortSpan ports) => new() { First = (uint)ports.First, Last = (uint)ports.Last };

    private static Wire.AddressRange ToMessage(IpRange range) =>
        new() { First = ByteString.CopyFrom(range.First.ToBytes()), Count = checked((uint)range.Count) };

    // Visible ASCII: no two identities look the same in a list and are not.
    private static string Identity(string text, string path) => text.Length is > 0 and <= MaxIdentity && text.All(c => c is > ' ' and <= '~')
        ? text
        : throw new WireException(path, $"1 to {MaxIdentity} visible ASCII characters are wanted, and no spaces");

    private static string Name(string text, string path) => text.Length is > 0 and <= MaxIdentity && !text.Any(char.IsControl)
        ? text
        : throw new WireException(path, $"1 to {MaxIdentity} characters without control characters are wanted");

    private static string Label(string text) => text.Length <= MaxText && !text.Any(char.IsControl)
        ? text
        : throw new WireException("labels", $"at most {MaxText} characters without control characters are wanted");

    // Such texts go to logs and terminals, which take some characters for commands.
    private static string Bounded(string text, string path) => text.Length <= MaxText
        ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c))
        : throw new WireException(path, $"{text.Length} characters are too many, at most {MaxText} are allowed");

    private static IReadOnlyCollection<T> Few<T>(IReadOnlyCollection<T> items, string path, int most = MaxEntries) => items.Count <= most
        ? items
        : throw new WireException(path, $"{items.Count} entries are too many, at most {most:N0} are allowed");

    private static int Positive(uint value, string path) => value is > 0 and <= int.MaxValue
        ? (int)value
        : throw new WireException(path, $"{value} is out of range, 1 to {int.MaxValue} is allowed");

    private static long Count(ulong value, string path) => value <= long.MaxValue
        ? (long)value
        : throw new WireException(path, $"{value} is out of range, at most {long.MaxValue} is allowed");
}
