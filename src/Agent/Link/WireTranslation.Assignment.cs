using System.Collections.Immutable;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.KernelView;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Provisioning;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Agent.Link;

internal static partial class WireTranslation
{
    private const int MostEntries = 100_000;
    private const uint MostWeight = 1000;
    private const long MostConnections = 1_000_000_000;
    private const int LongestName = 255;
    private const int MostNames = 1000;
    private const int MostCapabilities = 100;
    private const int MostPoints = 10_000;
    private const int MostPairs = 65_536;
    private const int MostViewedRanges = 10_000;
    private const long MostBlocks = 1 << 18;
    private const double MostConnectsPerSecond = 1e12;
    private static readonly TimeSpan _longest = TimeSpan.FromDays(366);

    private static readonly TimeSpan _longestStorm = TimeSpan.FromMinutes(10);

    // Connections of a lost coordinator end when the lease and this are over.
    private static readonly TimeSpan _longestDrain = TimeSpan.FromHours(1);

    /// <summary>The status that refuses an assignment which is not understood.</summary>
    public static AssignmentStatus ToRefusal(Wire.Assignment message, WireException problem, long held) => new()
    {
        // As it came it may be longer than the answer may be.
        RunId = Cut(message.RunId),
        Revision = ToRevision(message.Revision),
        StoreId = Cut(message.StoreId),
        Refused = new(problem.Field, problem.Rule, problem.Message),
        Held = held,
    };

    /// <summary>Takes an assignment from the wire and checks every field.</summary>
    /// <param name="message">What came.</param>
    /// <param name="grant">Of the attachment that it came over.</param>
    /// <exception cref="WireException">A field breaks the contract, or needs what this agent cannot do.</exception>
    public static Assignment ToAssignment(Wire.Assignment message, LinkGrant grant)
    {
        CheckWanted(message, grant);
        if (message.Backend is { } backend)
            return ToBackendAssignment(message, backend);
        var workload = message.Workload ?? throw Missing("workload");
        var destinations = Each(message.Destinations, "destinations", ToDestination);
        if (destinations.IsEmpty)
            throw new WireException("destinations", "required", "at least one destination is wanted");
        if (destinations.Where(d => d.LookUp).Select(d => d.Name).Distinct().Skip(MostNames).Any())
            throw new WireException("destinations", "count", $"at most {MostNames:N0} names to look up are allowed");
        return new Assignment
        {
            RunId = message.RunId,
            Revision = ToRevision(message.Revision),
            StoreId = message.StoreId,
            Phase = message.Phase,
            RequiredCapabilities = [.. message.RequiredCapabilities],
            Share = Bounded(message.Share, "share"),
            Slice = ToOwnSlice(message.Slice ?? throw Missing("slice")),
            Destinations = destinations,
            Provision = Each(message.Provision, "provision", ToProvision),
            Schedule = ToSchedule(message.Schedule ?? throw Missing("schedule")),
            Shares = ToShares(workload, destinations, message.Transport?.Tls is not null),
            RequestsPerSecond = RequestsPerSecondOf(workload),
            Transport = ToTransport(message.Transport, workload),
            WorkloadDigest = DigestOf(message),
            Storm = message.Storm is { } storm ? ToStorm(storm) : null,
            ConnectTimeout = Positive(workload.ConnectTimeout, "workload.connect_timeout"),
            ExpectGreeting = workload.ExpectGreeting,
            StartNanos = message.HasStartNanos ? message.StartNanos : null,
            DrainTimeout = ToDrainTimeout(message),
            MaxDuration = Positive(message.MaxDuration, "max_duration"),
            KernelView = message.KernelView is { } view ? ToScope(view, destinations) : null,
        };
    }

    private static StormOrder ToStorm(Wire.ReconnectStorm message)
    {
        if (message.Number == 0)
            throw new WireException("storm.number", "range", "0 is no number of a storm; they are counted from 1 on");
        if (!(message.Fraction > 0 && message.Fraction <= 1))
            throw new WireException("storm.fraction", "range", $"{message.Fraction} is out of range: above 0, at most 1");
        if (message.Close is not (Wire.CloseMethod.Fin or Wire.CloseMethod.Rst))
            throw new WireException("storm.close", "range", $"close method {(int)message.Close} is unknown; FIN or RST is wanted");
        var within = Time(message.Within, "storm.within");
        if (within > _longestStorm)
            throw new WireException("storm.within", "range", $"{within.TotalSeconds:0} s is out of range, at most {_longestStorm.TotalSeconds:0} s is allowed");
        return new(message.Number, Time(message.Elapsed, "storm.elapsed"), message.Fraction, within, message.Close == Wire.CloseMethod.Rst);
    }

    private static void CheckWanted(Wire.Assignment message, LinkGrant grant)
    {
        ToId(message.RunId, "run_id");
        if (message.StoreId != grant.StoreId)
        {
            throw new WireException("store_id", "store",
                $"the assignment is out of store \"{Cut(Shown(message.StoreId))}\", the coordinator introduced itself with \"{grant.StoreId}\"");
        }

        if (message.RequiredCapabilities.Count > MostCapabilities)
            throw new WireException("required_capabilities", "count", $"{message.RequiredCapabilities.Count} are too many, at most {MostCapabilities} are allowed");
        var lacking = message.RequiredCapabilities.Where(c => !Capabilities.All.Contains(c)).Select(c => Cut(Shown(c))).ToList();
        if (lacking.Count > 0)
        {
            throw new WireException("required_capabilities", "capability",
                $"this agent lacks {string.Join(", ", lacking)} (it has {string.Join(", ", Capabilities.All)}); "
                + "install the coordinator's version of loadharness-agent");
        }

        if (message.Phase is not (Wire.Phase.Prepared or Wire.Phase.Running or Wire.Phase.Drained))
            throw new WireException("phase", "range", $"phase {(int)message.Phase} is unknown; PREPARED, RUNNING or DRAINED is wanted");
        if (message.Phase == Wire.Phase.Running && !message.HasStartNanos)
            throw new WireException("start_nanos", "required", "RUNNING wants a start instant");
    }

    private static Revision ToRevision(Wire.Revision? revision) => new(revision?.Epoch ?? 0, revision?.Number ?? 0);

    private static Destination ToDestination(Wire.Destination message, string path)
    {
        var destination = new Destination(
            ToRange(message.Addresses, path + ".addresses"), ToPorts(message.Ports, path + ".ports"), ToName(message.Name, path + ".name"), message.LookUp,
            ToWeight(message.Weight, path + ".weight"));
        return destination.Count <= MostPairs
            ? destination
            : throw new WireException(path, "count", $"{destination.Count:N0} address and port pairs are too many, at most {MostPairs:N0} are allowed");
    }

    private static int ToWeight(uint weight, string path) => weight <= MostWeight
        ? (int)Math.Max(1, weight)
        : throw new WireException(path, "range", $"{weight} is out of range, 1 to {MostWeight:N0} is allowed");

    private static string ToName(string name, string path) => name.Length <= LongestName && !name.Any(char.IsControl)
        ? name
        : throw new WireException(path, "range", $"at most {LongestName} characters without control characters are wanted");

    private static TimeSpan ToDrainTimeout(Wire.Assignment message) => Time(message.DrainTimeout, "drain_timeout") is var time && time <= _longestDrain
        ? time
        : throw new WireException("drain_timeout", "range", $"{time.TotalSeconds:0} s is out of range, at most {_longestDrain.TotalSeconds:0} s is allowed");

    private static Slice ToSlice(Wire.Slice message, string path) => new(
        Each(message.Blocks, path + ".blocks", ToBlocks),
        // Each port once: as they come they may name all ports a hundred thousand times.
        Merge(Each(message.ExcludedPorts, path + ".excluded_ports", ToPorts)),
        Time(message.Rest, path + ".rest"));

    // Each source is bound once before the first connect, and each block takes some memory.
    private static Slice ToOwnSlice(Wire.Slice message)
    {
        var slice = ToSlice(message, "slice");
        // At most 100,000 entries of 2^32 addresses with 256 blocks each: no overflow.
        var blocks = slice.Blocks.Sum(b => b.Count);
        return blocks <= MostBlocks
            ? slice
            : throw new WireException("slice.blocks", "range", $"{blocks:N0} blocks are too many, at most {MostBlocks:N0} are allowed");
    }

    private static ProvisionWork ToProvision(Wire.ProvisionedSources message, string path)
    {
        var addresses = Each(message.Addresses, path + ".addresses", ToRange);
        var width = addresses.Any(a => a.First.IsV6) ? 128 : 32;
        if (addresses.IsEmpty || addresses.Any(a => a.First.IsV6 != addresses[0].First.IsV6))
            throw new WireException(path + ".addresses", "required", "addresses of one family are wanted");
        if (message.PrefixLength < 1 || message.PrefixLength > width)
            throw new WireException(path + ".prefix_length", "range", $"{message.PrefixLength} is out of range: 1 to {width}");
        return new(addresses, ToName(message.Device, path + ".device"), (int)message.PrefixLength, message.Owner);
    }

    private static BlockRange ToBlocks(Wire.BlockRange message, string path)
    {
        const uint size = BlockRange.PortsPerBlock;
        var end = message.FirstPort + ((ulong)message.PortBlocks * size);
        if (message.FirstPort % size != 0 || message.PortBlocks == 0 || end > 65536)
        {
            throw new WireException(path + ".first_port", "range",
                $"{message.PortBlocks} groups of {size} ports from {message.FirstPort} on are no blocks: "
                + $"a multiple of {size} is wanted, and an end at 65535");
        }

        return new(ToRange(message.Sources, path + ".sources"), (int)message.FirstPort, (int)message.PortBlocks, message.Retiring);
    }

    private static KernelViewScope ToScope(Wire.KernelViewAssignment view, ImmutableArray<Destination> destinations)
    {
        // What they come to is worked out by comparing each with each.
        var ranges = view.Slices.Sum(s => (long)s.Blocks.Count);
        if (ranges > MostViewedRanges)
            throw new WireException("kernel_view.slices", "count", $"{ranges:N0} ranges of blocks are too many, at most {MostViewedRanges:N0} are allowed");
        var slices = Each(view.Slices, "kernel_view.slices", ToSlice);
        return new(destinations, [.. slices.SelectMany(s => s.Blocks)], CoreShare(view));
    }

    private static double CoreShare(Wire.KernelViewAssignment view) => view.CoreShare > 0 && view.CoreShare <= 1
        ? view.CoreShare
        : throw new WireException("kernel_view.core_share", "range", $"{view.CoreShare} is out of range: above 0, at most 1");

    private static Schedule ToSchedule(Wire.Schedule message)
    {
        if (!(message.ConnectsPerSecond > 0 && message.ConnectsPerSecond <= MostConnectsPerSecond))
        {
            throw new WireException("schedule.connects_per_second", "range",
                $"{message.ConnectsPerSecond} is out of range: above 0, at most {MostConnectsPerSecond:N0}");
        }

        if (message.Points.Count > MostPoints)
            throw new WireException("schedule.points", "count", $"{message.Points.Count} points are too many, at most {MostPoints:N0} are allowed");
        var points = Each(message.Points, "schedule.points", (p, path) =>
            new SchedulePoint(Time(p.Elapsed, path + ".elapsed"), Bounded(p.Goal, path + ".goal")));
        if (points.IsEmpty)
            throw new WireException("schedule.points", "required", "at least one point is wanted");
        for (var i = 1; i < points.Length; i++)
        {
            if (points[i].Elapsed < points[i - 1].Elapsed)
            {
                throw new WireException($"schedule.points[{i}].elapsed", "order",
                    $"{points[i].Elapsed} lies before the point ahead of it, {points[i - 1].Elapsed}; points come in order of time");
            }
        }

        return new(points, message.ConnectsPerSecond);
    }

    private static IpRange ToRange(Wire.AddressRange? message, string path)
    {
        if (message is null)
            throw Missing(path);
        if (message.First.Length is not (4 or 16))
            throw new WireException(path + ".first", "address", $"an address has 4 or 16 bytes, not {message.First.Length}");
        var first = IpAddress.FromBytes(message.First.Span);
        var last = first.IsV6 ? UInt128.MaxValue - 1 : uint.MaxValue;
        if (message.Count == 0 || first.Value > last || last - first.Value < message.Count - 1)
            throw new WireException(path + ".count", "range", $"{message.Count} addresses from {first} on are no range");
        return new(first, message.Count);
    }

    private static PortSpan ToPorts(Wire.PortRange? message, string path)
    {
        if (message is null)
            throw Missing(path);
        return message.First >= 1 && message.First <= message.Last && message.Last <= 65535
            ? new((int)message.First, (int)message.Last)
            : throw new WireException(path, "range", $"{message.First}-{message.Last} are no ports, 1 to 65535 in order is allowed");
    }

    private static ImmutableArray<TTo> Each<TFrom, TTo>(IReadOnlyList<TFrom> items, string path, Func<TFrom, string, TTo> translate)
    {
        if (items.Count > MostEntries)
            throw new WireException(path, "range", $"{items.Count} entries are too many, at most {MostEntries} are allowed");
        return [.. items.Select((item, i) => translate(item, $"{path}[{i}]"))];
    }

    private static long Bounded(ulong value, string path) => value <= MostConnections
        ? (long)value
        : throw new WireException(path, "range", $"{value} connections are out of range, at most {MostConnections} are allowed");

    private static TimeSpan Positive(Duration? duration, string path) => Time(duration, path) is var time && time > TimeSpan.Zero
        ? time
        : throw new WireException(path, "range", "more than 0 s is wanted");

    /// <summary>A duration from 0 s to a year; an absent one is 0 s.</summary>
    private static TimeSpan Time(Duration? duration, string path)
    {
        if (duration is null)
            return TimeSpan.Zero;
        if (duration.Seconds < 0 || duration.Seconds > (long)_longest.TotalSeconds || duration.Nanos is < 0 or > 999_999_999)
        {
            throw new WireException(path, "range",
                $"{duration.Seconds} s and {duration.Nanos} ns is out of range, 0 s to {_longest.TotalDays:0} days is allowed");
        }

        return duration.ToTimeSpan();
    }

    private static WireException Missing(string path) => new(path, "required", "it is missing");
}
