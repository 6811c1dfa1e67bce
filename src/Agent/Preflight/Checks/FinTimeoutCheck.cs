using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>net.ipv4.tcp_fin_timeout: how long FIN-WAIT-2 of a socket that its program has closed is kept. It shortens no TIME-WAIT.</summary>
internal static class FinTimeoutCheck
{
    private const long Usual = 60;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        const string purpose = "nothing: agents close once they saw the peer's FIN, and TIME-WAIT is 60 s whatever this says";
        if (host.Number(Sysctl.FinTimeout) is not { } seconds)
            return Sysctl.Unknown(host, Sysctl.FinTimeout, purpose);
        return seconds <= Usual
            ? new(Sysctl.FinTimeout, $"{seconds} s", Verdict.Ok) { Needed = purpose }
            : new HostCheck(Sysctl.FinTimeout, $"{Amount.Count(seconds)} s", Verdict.Note)
            {
                Needed = $"{Usual} s: connections that a drain cuts off stay that long in FIN-WAIT-2 when their peer is silent",
                Risk = "peers that answer a FIN later than that are reset",
            }.SetTo(host, Sysctl.FinTimeout, $"{Usual}");
    }
}
