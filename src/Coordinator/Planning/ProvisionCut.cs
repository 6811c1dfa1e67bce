using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>
/// Cuts the ranges that a run adds over the hosts that may have them: two hosts never get the same address. Each part of a range goes, in even
/// and contiguous pieces, to the hosts that allow it; what a host has already stays its own, and what another host or a target has is left out.
/// </summary>
public static class ProvisionCut
{
    /// <summary>Cuts.</summary>
    /// <param name="specs">What is to be added.</param>
    /// <param name="named">Sources that the user names: of the rest nothing is added. None: everything is.</param>
    /// <param name="hosts">Those of the run.</param>
    /// <param name="targets">Addresses of the targets.</param>
    public static ProvisionCutResult Cut(
        ImmutableArray<ProvisionSpec> specs, ImmutableArray<IpRange> named, ImmutableArray<ProvisionHost> hosts, IReadOnlySet<IpAddress> targets)
    {
        var parts = hosts.ToDictionary(h => h.NetworkNamespace, _ => ImmutableArray.CreateBuilder<AddedSources>(), StringComparer.Ordinal);
        var problems = ImmutableArray.CreateBuilder<string>();
        var given = new HashSet<IpAddress>(targets);
        foreach (var spec in specs)
        {
            var wanted = named.IsEmpty ? [spec.Range] : AddressRanges.Merge(named.Select(n => AddressRanges.Overlap(n, spec.Range)).OfType<IpRange>());
            if (wanted.IsEmpty)
                problems.Add($"--provision-sources {spec.Text}: none of the --sources lies in it; name sources that do, or leave --sources out to use all of it.");
            foreach (var segment in wanted.SelectMany(w => Segments(w, spec.Device, hosts)))
            {
                var eligible = hosts.Where(h => h.Allowed.Any(r => r.Allows(segment, spec.Device))).ToImmutableArray();
                if (eligible.IsEmpty)
                    problems.Add(NobodyMay(spec, segment, hosts));
                foreach (var (host, addresses) in Share(segment, spec.Device, eligible, hosts, given))
                    parts[host.NetworkNamespace].Add(new AddedSources(addresses, spec.Device, spec.PrefixLength, Owner: false));
            }
        }

        return new(
            parts.ToImmutableDictionary(p => p.Key, p => p.Value.ToImmutable(), StringComparer.Ordinal),
            problems.ToImmutable());
    }

    // Within a segment every address is allowed by the same entries.
    private static IEnumerable<IpRange> Segments(IpRange range, string device, ImmutableArray<ProvisionHost> hosts)
    {
        var (first, last) = (range.First.Value, range.Last.Value);
        var cuts = new SortedSet<UInt128> { first };
        foreach (var rule in hosts.SelectMany(h => h.Allowed).Where(r => r.Device == device && r.Prefix.Address.IsV6 == range.First.IsV6))
        {
            cuts.Add(rule.Prefix.Address.Value);
            if (rule.Prefix.Last < last)
                cuts.Add(rule.Prefix.Last + 1);
        }

        cuts.RemoveWhere(c => c < first || c > last);
        foreach (var (from, next) in cuts.Zip(cuts.Skip(1).Append(last + 1)))
            yield return new(range.First with { Value = from }, (long)(next - from));
    }

    private static IEnumerable<(ProvisionHost Host, ImmutableArray<IpRange> Addresses)> Share(
        IpRange segment, string device, ImmutableArray<ProvisionHost> eligible, ImmutableArray<ProvisionHost> hosts, HashSet<IpAddress> given)
    {
        var owned = hosts.SelectMany(h => h.Addresses.Select(a => a.Address)).Where(segment.Contains).ToHashSet();
        var free = new List<IpAddress>();
        for (var i = 0L; i < segment.Count && !eligible.IsEmpty; i++)
        {
            var address = segment.First.Plus(i);
            if (!owned.Contains(address) && given.Add(address))
                free.Add(address);
        }

        for (var i = 0; i < eligible.Length; i++)
        {
            var piece = free[Bound(i)..Bound(i + 1)];
            var own = eligible[i].Addresses.Where(a => a.Device == device && segment.Contains(a.Address)).Select(a => a.Address).Where(given.Add);
            var addresses = AddressRanges.Merge(piece.Concat(own).Select(a => new IpRange(a, 1)));
            if (!addresses.IsEmpty)
                yield return (eligible[i], addresses);
        }

        int Bound(int piece) => (int)((long)free.Count * piece / eligible.Length);
    }

    private static string NobodyMay(ProvisionSpec spec, IpRange segment, ImmutableArray<ProvisionHost> hosts)
    {
        return $"--provision-sources {spec.Text}: no agent of {string.Join(", ", hosts.Select(h => h.Host).Distinct().Take(3))} may add {segment} to {spec.Device}; "
            + $"start the agents of a host that may with --allow-provision {spec.Cidr}, or name a smaller range.";
    }
}

/// <summary>Which host adds what.</summary>
/// <param name="ByNamespace">What each network namespace adds, and has of it already.</param>
/// <param name="Problems">Whole sentences for people; not empty means that the run cannot be planned.</param>
public sealed record ProvisionCutResult(ImmutableDictionary<string, ImmutableArray<AddedSources>> ByNamespace, ImmutableArray<string> Problems);
