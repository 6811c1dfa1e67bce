using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>The fields of a spec that name addresses and ports.</summary>
internal static class SpecEndpoints
{
    private const int MostDestinations = 65_536;
    private const int MostOverlaps = 5;
    private const string Target = "--target";
    private const string Source = "--sources";
    private const string ToAdd = "--provision-sources";

    /// <summary>Reads every source.</summary>
    public static ImmutableArray<SourceSpec> Sources(RunSpecInput input, List<SpecError> errors)
    {
        var sources = ImmutableArray.CreateBuilder<SourceSpec>();
        if (!KeepsSources(input.Sources.Length, errors))
            return [];
        foreach (var text in input.Sources)
        {
            var parsed = SourceText.ParseList(text);
            if (parsed.Problem is { } problem)
                errors.Add(problem.At(Source, text));
            else
                sources.AddRange(parsed.Value);
            if (!KeepsSources(sources.Count, errors))
                return [];
        }

        AddOverlaps(Source, sources.Where(s => s.Range is not null).Select(s => (s.Text, s.Range!.Value)), errors);
        foreach (var twice in sources.Where(s => s.Device is not null).GroupBy(s => s.Device).Where(g => g.Count() > 1))
            errors.Add(new SpecError(Source, twice.First().Text, "is named twice", "", "Name each interface once"));
        if (sources.Count > 1 && sources.Any(s => s.IsAuto))
        {
            errors.Add(new SpecError(Source, string.Join(',', sources.Select(s => s.Text)), "has auto beside other sources", "",
                "Write --sources auto alone, or leave auto out"));
        }

        return sources.ToImmutable();
    }

    /// <summary>Reads every prefix that is to be added to hosts.</summary>
    public static ImmutableArray<ProvisionSpec> Provision(RunSpecInput input, List<SpecError> errors)
    {
        var all = ImmutableArray.CreateBuilder<ProvisionSpec>();
        if (!KeepsProvisions(input.ProvisionSources.Length, errors))
            return [];
        foreach (var text in input.ProvisionSources)
        {
            var parsed = ProvisionText.ParseList(text);
            if (parsed.Problem is { } problem)
                errors.Add(problem.At(ToAdd, text));
            else
                all.AddRange(parsed.Value);
            if (!KeepsProvisions(all.Count, errors))
                return [];
        }

        AddOverlaps(ToAdd, all.Select(p => (p.Text, p.Range)), errors);
        return all.ToImmutable();
    }

    private static bool KeepsTargets(long named, List<SpecError> errors) => SpecBounds.Keeps(
        Target, named, "address and port ranges", SpecBounds.MostRanges, "Write neighbouring ports as a range, HOST:9000-9009, or name fewer targets", errors);

    private static bool KeepsSources(int named, List<SpecError> errors) => SpecBounds.Keeps(
        Source, named, "ranges", SpecBounds.MostRanges, "Write neighbours as a range, 10.0.1.1-10.0.1.14, or name an interface, dev:eth0", errors);

    private static bool KeepsProvisions(int named, List<SpecError> errors) =>
        SpecBounds.Keeps(ToAdd, named, "prefixes", SpecBounds.MostProvisions, "Write neighbours as one prefix", errors);

    private static void AddOverlaps(string field, IEnumerable<(string Text, IpRange Range)> ranges, List<SpecError> errors)
    {
        var (found, widest) = (0, ("", default(IpRange)));
        foreach (var (text, range) in ranges.OrderBy(r => r.Range.First))
        {
            var (before, taken) = widest;
            if (taken.Count > 0 && taken.Overlaps(range) && found++ < MostOverlaps)
                errors.Add(new SpecError(field, text, before == text ? "is named twice" : $"overlaps {before}", "", "Name each address once"));
            if (taken.Count == 0 || range.Last.CompareTo(taken.Last) > 0)
                widest = (text, range);
        }
    }

    /// <summary>Reads every target and resolves its name.</summary>
    public static ImmutableArray<TargetSpec> Targets(
        RunSpecInput input, ImmutableArray<SourceSpec> sources, Func<string, IReadOnlyList<IpAddress>?> resolve, List<SpecError> errors)
    {
        if (input.Targets.IsEmpty)
            errors.Add(new SpecError(Target, "", "is missing", "", "Say what to connect to: --target tcp://127.0.0.1:9000"));
        var targets = ImmutableArray.CreateBuilder<TargetSpec>();
        var named = new Dictionary<string, List<PortSpan>>(StringComparer.OrdinalIgnoreCase);
        var ranges = 0L;
        if (!KeepsTargets(input.Targets.Length, errors))
            return [];
        foreach (var text in input.Targets)
        {
            var parsed = TargetText.Parse(text);
            if (parsed.Problem is { } problem)
            {
                errors.Add(problem.At(Target, text));
                continue;
            }

            var (host, ports) = (parsed.Value.Host, parsed.Value.Ports);
            var resolved = AddressesOf(host, input, resolve);
            ranges += (long)ports.Length * Math.Max(1, resolved?.Count ?? 1);
            if (!KeepsTargets(ranges, errors))
                return [];
            if (!named.TryGetValue(host, out var before))
                named[host] = before = [];
            if (before.Find(b => AnyOverlaps(ports, b)) is { First: > 0 } twice)
            {
                errors.Add(new SpecError(Target, text, $"names a port of {host} that another target names too: see {twice}", "",
                    "Name each port of a host once"));
            }

            before.AddRange(ports);
            if (resolved?.Count == 0)
            {
                errors.Add(new SpecError(Target, text, $"has a host '{host}' that does not resolve to an address", "",
                    "Check the name ('getent hosts NAME'), or give the address"));
                continue;
            }

            var addresses = resolved is null ? [] : OneFamily(resolved, sources);
            if (WhyRefused(addresses) is { } reason)
                errors.Add(new SpecError(Target, text, reason, "an address of one host", "Give the address that the service listens on"));
            else
                targets.Add(new TargetSpec(text.Trim(), host, addresses, ports) { Weight = parsed.Value.Weight, Scheme = parsed.Value.Scheme, Path = parsed.Value.Path });
        }

        foreach (var other in targets.Where(t => t.Scheme != targets[0].Scheme || t.Path != targets[0].Path).Take(1))
        {
            errors.Add(new SpecError(Target, other.Text, $"has another scheme or path than {targets[0].Text}", "", "All targets of a run are spoken to alike: start another run for the others"));
        }

        var pairs = targets.Sum(t => Math.Max(1, t.Addresses.Length) * t.Ports.Sum(p => (long)p.Count));
        if (pairs > MostDestinations)
        {
            errors.Add(new SpecError(Target, "", $"names {pairs:N0} address and port pairs", $"at most {MostDestinations:N0}",
                "Name fewer ports or addresses"));
        }

        return targets.ToImmutable();
    }

    private static bool AnyOverlaps(ImmutableArray<PortSpan> ports, PortSpan other)
    {
        foreach (var span in ports)
        {
            if (span.First <= other.Last && other.First <= span.Last)
                return true;
        }

        return false;
    }

    /// <summary>Says which target no source can reach for its family, and the reverse.</summary>
    public static void CheckFamilies(ImmutableArray<TargetSpec> targets, ImmutableArray<SourceSpec> sources, List<SpecError> errors)
    {
        var ranges = sources.Where(s => s.Range is not null).Select(s => (s.Text, s.Range!.Value.First.IsV6)).ToList();
        if (ranges.Count == 0 || targets.IsEmpty)
            return;
        foreach (var target in targets.Where(t => !t.IsAskedOfAgents && ranges.All(r => r.IsV6 != t.Addresses[0].IsV6)))
        {
            errors.Add(new SpecError(Target, target.Text, $"is {Family(target.Addresses[0].IsV6)} and no source is", "",
                $"Add {Family(target.Addresses[0].IsV6)} addresses to --sources"));
        }

        foreach (var (text, isV6) in ranges.Where(r => targets.All(t => !t.IsAskedOfAgents && t.Addresses[0].IsV6 != r.IsV6)))
            errors.Add(new SpecError(Source, text, $"is {Family(isV6)} and no target is", "", "Leave it out"));
    }

    /// <summary>
    /// Refuses a run whose only endpoint is its own target. A tuple with equal ends would connect to itself and is never issued;
    /// as long as any other tuple is left the run can work.
    /// </summary>
    public static void CheckSelf(RunSpec spec, List<SpecError> errors)
    {
        if (spec.SourcePorts is not { Count: 1 } ports || spec.Sources is not [{ Range: { Count: 1 } range }])
            return;
        var onlySelf = spec.Targets.Length > 0
            && spec.Targets.All(t => t.Addresses is [var address] && address == range.First && t.Ports is [{ Count: 1 } port]
                && port == ports);
        if (onlySelf)
        {
            errors.Add(new SpecError("--source-ports", ports.ToString(),
                $"leaves {range.First}:{ports} as the only source, which is the target itself", "",
                "A connection from an endpoint to itself loads nothing: give other source ports, or leave --source-ports out"));
        }
    }

    private static IReadOnlyList<IpAddress>? AddressesOf(
        string host, RunSpecInput input, Func<string, IReadOnlyList<IpAddress>?> resolve)
    {
        if (AddressText.TryParse(host, out var literal))
            return [literal];
        return input.Names.TryGetValue(host, out var known) ? known : resolve(host);
    }

    /// <summary>
    /// A name may have addresses of both families; a service that listens on one of them only would refuse half of the connections.
    /// Sources decide; without them IPv4 goes first.
    /// </summary>
    internal static ImmutableArray<IpAddress> OneFamily(IReadOnlyList<IpAddress> addresses, ImmutableArray<SourceSpec> sources)
    {
        var ranges = sources.Where(s => s.Range is not null).Select(s => s.Range!.Value.First.IsV6).ToList();
        var preferV6 = ranges.Count > 0 && ranges.TrueForAll(isV6 => isV6);
        var preferred = addresses.Where(a => a.IsV6 == preferV6).ToList();
        return [.. (preferred.Count > 0 ? preferred : addresses).Distinct().Order()];
    }

    /// <summary>Why addresses of a target are refused; null when they are not.</summary>
    internal static string? WhyRefused(ImmutableArray<IpAddress> addresses)
    {
        foreach (var address in addresses)
        {
            if (AddressText.WhyUnusable(address) is { } reason)
                return $"leads to {address}, which {reason}";
        }

        return null;
    }

    private static string Family(bool isV6) => isV6 ? "IPv6" : "IPv4";
}
