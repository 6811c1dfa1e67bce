using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Coordinator.Api;

internal static partial class WireTranslation
{
    public static RunSpecInput ToInput(Wire.RunSpec spec)
    {
        var input = new RunSpecInput
        {
            Name = spec.Name,
            Targets = [.. spec.Targets],
            Connections = spec.Connections > 0 ? (long)Math.Min(spec.Connections, long.MaxValue) : null,
            Hold = Quantity(spec.Hold, "hold"),
            Sources = [.. spec.Sources],
            SourcePorts = spec.HasSourcePorts ? spec.SourcePorts : null,
            Agents = spec.HasAgents ? (long)spec.Agents : null,
            ReadyTimeout = Quantity(spec.ReadyTimeout, "ready_timeout"),
            ConnectTimeout = Quantity(spec.ConnectTimeout, "connect_timeout"),
            MaxDuration = Quantity(spec.MaxDuration, "max_duration"),
            ExpectGreeting = spec.ExpectGreeting,
            Select = Labels(spec.Select, "select"),
            Backends = spec.HasBackends ? (long)spec.Backends : null,
            BackendListen = spec.BackendListen.Length > 0 ? spec.BackendListen : null,
            BackendSelect = Labels(spec.BackendSelect, "backend_select"),
            Names = Names(spec.Names),
            Reuse = Reuse(spec.Reuse),
            Force = spec.Force,
            ProvisionSources = [.. spec.ProvisionSources],
            OnAgentLoss = LossOf(spec.OnAgentLoss),
            OnAgentJoin = JoinOf(spec.OnAgentJoin),
        };
        input = AddTransport(AddWorkload(input, spec), spec.Transport);
        return spec.OpeningCase switch
        {
            Wire.RunSpec.OpeningOneofCase.Ramp => input with { Ramp = Quantity(spec.Ramp, "ramp") },
            Wire.RunSpec.OpeningOneofCase.ConnectsPerSecond => input with { ConnectRate = spec.ConnectsPerSecond },
            _ => input,
        };
    }

    public static TimeSpan? ToTime(Duration? duration, string field)
    {
        try
        {
            return duration?.ToTimeSpan();
        }
        catch (Exception e) when (e is InvalidOperationException or OverflowException)
        {
            throw ControlErrors.BadRequest([(field, $"{field}: it is no google.protobuf.Duration: {e.Message}")]);
        }
    }

    // What a newer client may mean by a value that is not known here is refused, not guessed.
    private static string? Reuse(Wire.ReusePolicy policy) => policy switch
    {
        Wire.ReusePolicy.Unspecified => null,
        Wire.ReusePolicy.Rest => SpecWorkload.Rest,
        Wire.ReusePolicy.Immediate => SpecWorkload.Immediate,
        _ => policy.ToString(),
    };

    private static string? LossOf(Wire.AgentLossPolicy policy) => policy switch
    {
        Wire.AgentLossPolicy.Unspecified => null,
        Wire.AgentLossPolicy.Rebalance => SpecPolicies.Rebalance,
        Wire.AgentLossPolicy.Hold => SpecPolicies.Hold,
        Wire.AgentLossPolicy.Fail => SpecPolicies.Fail,
        _ => policy.ToString(),
    };

    private static string? JoinOf(Wire.AgentJoinPolicy policy) => policy switch
    {
        Wire.AgentJoinPolicy.Unspecified => null,
        Wire.AgentJoinPolicy.Fill => SpecPolicies.Fill,
        Wire.AgentJoinPolicy.Ignore => SpecPolicies.Ignore,
        _ => policy.ToString(),
    };

    private static string? CloseOf(Wire.CloseMethod close) => close switch
    {
        Wire.CloseMethod.Unspecified => null,
        Wire.CloseMethod.Fin => SpecWorkload.Fin,
        Wire.CloseMethod.Rst => SpecWorkload.Rst,
        Wire.CloseMethod.Peer => SpecWorkload.Peer,
        _ => close.ToString(),
    };

    public static StormInput ToStormInput(Wire.ReconnectRunRequest request) =>
        new(request.Fraction, ToTime(request.Within, "within") ?? TimeSpan.Zero, CloseOf(request.Close));

    /// <summary>Null: nothing in particular is asked of the hosts.</summary>
    public static HostNeed? ToNeed(Wire.HostNeed? need)
    {
        if (need is null)
            return null;
        if (need.Connections > RunSpecValidator.MostConnections)
            throw ControlErrors.BadRequest([("need.connections", $"need.connections {need.Connections}: at most {RunSpecValidator.MostConnections} is allowed")]);
        if (!(need.ConnectsPerSecond is >= 0 and < double.PositiveInfinity) || !(need.ClosesPerSecond is >= 0 and < double.PositiveInfinity))
            throw ControlErrors.BadRequest([("need", "need: rates are 0 or more")]);
        return new((long)need.Connections, need.BothEnds, need.ConnectsPerSecond, need.ClosesPerSecond)
        {
            Accepts = need.Accepts,
            Tuples = (long)Math.Min(need.Tuples, long.MaxValue),
        };
    }

    private static Quantity<TimeSpan>? Quantity(Duration? duration, string field) =>
        ToTime(duration, field) is { } time ? time : (Quantity<TimeSpan>?)null;

    private static ImmutableArray<string> Labels(IEnumerable<KeyValuePair<string, string>> labels, string field) =>
    [
        .. labels.Select(l => l.Key.Contains('=', StringComparison.Ordinal)
            ? throw ControlErrors.BadRequest([(field, $"{field}: a label has no equals sign")])
            : $"{l.Key}={l.Value}"),
    ];

    private static ImmutableDictionary<string, ImmutableArray<IpAddress>> Names(IEnumerable<Wire.ResolvedName> names)
    {
        var known = ImmutableDictionary.CreateBuilder<string, ImmutableArray<IpAddress>>(StringComparer.OrdinalIgnoreCase);
        foreach (var name in names)
        {
            known[name.Name] =
            [
                .. name.Addresses.Select(a => a.Length is 4 or 16
                    ? IpAddress.FromBytes(a.Span)
                    : throw ControlErrors.BadRequest([("names", $"names: an address has 4 or 16 bytes, not {a.Length}")])),
            ];
        }

        return known.ToImmutable();
    }

    private static Wire.RunSpec ToMessage(RunSpec spec)
    {
        var message = new Wire.RunSpec
        {
            Name = spec.Name,
            Targets = { spec.Targets.Select(t => t.Text) },
            Connections = (ulong)spec.Connections,
            Hold = spec.Hold.ToDuration(),
            Sources = { spec.Sources.Select(s => s.Text) },
            ReadyTimeout = spec.ReadyTimeout.ToDuration(),
            ConnectTimeout = spec.ConnectTimeout.ToDuration(),
            MaxDuration = spec.MaxDuration.ToDuration(),
            ExpectGreeting = spec.ExpectGreeting,
        };
        if (spec.Ramp is { } ramp)
            message.Ramp = ramp.ToDuration();
        else if (spec.ConnectRate is { } rate)
            message.ConnectsPerSecond = rate;
        if (spec.SourcePorts is { } ports)
            message.SourcePorts = ports.ToString();
        if (spec.Agents is { } agents)
            message.Agents = (uint)agents;
        message.Select.Add(spec.Select);
        message.BackendSelect.Add(spec.BackendSelect);
        if (spec.Backends > 0)
            (message.Backends, message.BackendListen) = ((uint)spec.Backends, PortText.Format(spec.BackendListen));
        foreach (var target in spec.Targets.Where(t => !AddressText.TryParse(t.Host, out _) && !t.IsAskedOfAgents).DistinctBy(t => t.Host))
            message.Names.Add(new Wire.ResolvedName { Name = target.Host, Addresses = { target.Addresses.Select(a => ByteString.CopyFrom(a.ToBytes())) } });
        message.Workload = Fleet.WireTranslation.ToMessage(spec.Workload);
        if (spec.Transport != TransportSpec.Plain)
            message.Transport = Fleet.WireTranslation.ToMessage(spec.Transport);
        // Whoever may look at a run need not have its key.
        if (message.Transport?.Tls is { } tls)
            tls.Key = ByteString.Empty;
        message.Reuse = spec.Rest == TimeSpan.Zero ? Wire.ReusePolicy.Immediate : Wire.ReusePolicy.Rest;
        message.Force = spec.Force;
        message.ProvisionSources.Add(spec.Provision.Select(p => p.Text));
        (message.OnAgentLoss, message.OnAgentJoin) = (spec.OnAgentLoss, spec.OnAgentJoin);
        return message;
    }
}
