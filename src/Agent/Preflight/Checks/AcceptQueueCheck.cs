using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>net.core.somaxconn: bounds the accept queue of every listener, whatever it asked for in listen().</summary>
internal static class AcceptQueueCheck
{
    // What a listener may be busy with something else for, in seconds.
    private const double Pause = 0.1;
    private const long Least = 4_096;
    private const long Most = 65_535;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        const string purpose = "connections that a listener here has not accepted yet";
        if (host.Number(Sysctl.MaxConnections) is not { } most)
            return Sysctl.Unknown(host, Sysctl.MaxConnections, purpose);
        if (need is { Listens: false })
            return new(Sysctl.MaxConnections, Amount.Count(most), Verdict.Ok) { Needed = "nothing: no listener of the run is on this host" };
        var wanted = Math.Clamp((long)((need?.ConnectsPerSecond ?? 0) * Pause), Least, Most);
        if (most >= wanted)
            return new(Sysctl.MaxConnections, Amount.Count(most), Verdict.Ok) { Needed = $"{Amount.Count(wanted)}: {purpose}" };
        return new HostCheck(Sysctl.MaxConnections, Amount.Count(most), need is null ? Verdict.Note : Verdict.Warning)
        {
            Needed = $"{Amount.Count(wanted)}: {purpose}; above it SYNs are dropped, and connects take 1 s, 3 s, 7 s longer (ListenOverflows)",
            Risk = "an overloaded service answers late instead of never",
        }.SetTo(host, Sysctl.MaxConnections, $"{Most}");
    }
}
