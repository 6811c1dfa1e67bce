using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>fs.nr_open: how far RLIMIT_NOFILE can be raised. Of no weight while each reactor has a table of its own.</summary>
internal static class NrOpenCheck
{
    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        const string purpose = "bounds RLIMIT_NOFILE, and so one descriptor table";
        if (host.Number(Sysctl.NrOpen) is not { } most)
            return Sysctl.Unknown(host, Sysctl.NrOpen, purpose);
        var wanted = (need?.Connections ?? 0) + HostInventory.OwnDescriptors;
        if (host.UnshareErrno == 0 || most >= wanted)
            return new(Sysctl.NrOpen, Amount.Count(most), Verdict.Ok) { Needed = $"{purpose}; reactors do not come near it" };
        return new HostCheck(Sysctl.NrOpen, Amount.Count(most), Verdict.Error)
        {
            Needed = $"{Amount.Count(wanted)} descriptors in one table, since reactors cannot have their own",
            Risk = "a runaway process can open as many files",
        }.SetTo(host, Sysctl.NrOpen, $"{Sysctl.WithRoom(wanted)}");
    }
}
