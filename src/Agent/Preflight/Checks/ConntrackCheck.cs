using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>
/// nf_conntrack: where connections are tracked each takes an entry, and for up to 120 s after its end. A full table drops packets, and
/// connects time out for no visible reason.
/// </summary>
internal static class ConntrackCheck
{
    private const string Name = "conntrack";
    private const long Linger = 120;

    // Above this many entries a bucket every packet walks a long list.
    private const long PerBucket = 8;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        if (host.Tracking is not true)
        {
            return new(Name, host.Tracking is null ? "not loaded" : "not active in this network namespace", Verdict.Ok)
            {
                Needed = "nothing while connections are not tracked",
            };
        }

        if (host.Number(Sysctl.TrackedMost) is not { } most)
            return Sysctl.Unknown(host, Sysctl.TrackedMost, "an entry for each connection") with { Name = Name };
        var count = host.Number(Sysctl.TrackedCount) ?? 0;
        var buckets = host.Number(Sysctl.TrackedBuckets);
        var value = $"active: {Amount.Count(count)} of at most {Amount.Count(most)} entries, {(buckets is { } b ? Amount.Count(b) : "?")} buckets";
        var wanted = need is null ? 0 : need.Connections + (long)(need.ClosesPerSecond * Linger);
        var crowded = buckets is { } few && wanted / PerBucket > few;
        var (verdict, effect) = wanted > most - Math.Min(most, count) ? (Verdict.Error, "; a full table drops packets, and connects time out")
            : crowded ? (Verdict.Note, $"; more than {PerBucket} in a bucket make each packet slow") : (Verdict.Ok, "");
        var check = new HostCheck(Name, value, verdict)
        {
            Needed = $"{(wanted > 0 ? $"{Amount.Count(wanted)} entries" : "an entry for each connection")}, and for {Linger} s after its end{effect}",
        };
        return verdict == Verdict.Ok ? check : Remedied(check, host, most, count, wanted);
    }

    private static HostCheck Remedied(HostCheck check, HostFacts host, long most, long count, long wanted)
    {
        const string exempt = "iptables -t raw -A OUTPUT -p tcp -d TARGET -j NOTRACK (and PREROUTING -s TARGET)";
        if (check.Verdict == Verdict.Note)
            return check with { Remedy = exempt, Risk = "rules that match by connection state no longer see these packets" };
        var set = check.SetTo(host, Sysctl.TrackedMost, $"{Sysctl.WithRoom(Math.Max(Math.Min(most, HostNeed.Most), Math.Min(count, HostNeed.Most) + wanted))}");
        return set with { Remedy = $"{set.Remedy}, or better: {exempt}", Risk = "about 0.3 KB of kernel memory an entry" };
    }
}
