using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>
/// RLIMIT_NOFILE. It binds a descriptor table; each reactor has one of its own, so it decides how many reactors a need takes and need
/// not be raised. Where close_range(CLOSE_RANGE_UNSHARE) is refused it binds the whole agent.
/// </summary>
internal static class DescriptorLimitCheck
{
    // What the coordinator plans for one agent at most; more threads than that cost more than they bring.
    private const int MostReactors = 256;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        var each = HostInventory.ConnectionsOf(host.DescriptorLimit);
        return host.UnshareErrno == 0 ? OfReactor(host.DescriptorLimit, each, need) : OfAgent(host, each, need);
    }

    private static HostCheck OfReactor(int limit, int each, HostNeed? need)
    {
        var value = $"{Amount.Count(limit)} for each reactor";
        if (need is not { Connections: > 0 })
        {
            return new("RLIMIT_NOFILE", $"{value}, so {Amount.Count(each)} connections each", Verdict.Ok)
            {
                Needed = $"nothing: reactors are added as connections need them, up to {Amount.Count((long)each * MostReactors)} connections an agent",
            };
        }

        var reactors = (need.Connections + each - 1) / each;
        value += $": {Amount.Count(need.Connections)} connections take {Amount.Count(reactors)}";
        return reactors <= MostReactors
            ? new("RLIMIT_NOFILE", value, Verdict.Ok) { Needed = "it need not be raised: each reactor has a descriptor table of its own" }
            : new("RLIMIT_NOFILE", value, Verdict.Error)
            {
                Needed = $"at most {MostReactors} reactors, each with a descriptor table of its own",
                Remedy = $"ulimit -n {((need.Connections + MostReactors - 1) / MostReactors) + HostInventory.OwnDescriptors}, or more agents",
                Risk = "none: a table grows only as it fills",
            };
    }

    private static HostCheck OfAgent(HostFacts host, int each, HostNeed? need)
    {
        var most = need?.Connections ?? 0;
        return new("RLIMIT_NOFILE", $"{Amount.Count(host.DescriptorLimit)} for the whole agent ({Amount.Count(each)} connections)",
            most > each ? Verdict.Error : Verdict.Warning)
        {
            Needed = (most > 0 ? $"{Amount.Count(most)} connections; " : "")
                + $"reactors cannot have tables of their own here (close_range with CLOSE_RANGE_UNSHARE: errno {host.UnshareErrno})",
            Remedy = most > each ? $"ulimit -n {most + HostInventory.OwnDescriptors}, or allow close_range in the sandbox's seccomp profile (kernel 5.9)"
                : "allow close_range in the sandbox's seccomp profile (kernel 5.9 or newer)",
            Risk = "none: a table grows only as it fills",
        };
    }
}
