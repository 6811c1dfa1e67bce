using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>net.ipv4.tcp_syncookies: what happens to a SYN when the queue is full.</summary>
internal static class SynCookiesCheck
{
    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        const string purpose = "1: a burst is answered although the queue is full";
        if (host.Number(Sysctl.SynCookies) is not { } value)
            return Sysctl.Unknown(host, Sysctl.SynCookies, purpose);
        if (value == 1 || need is not { Listens: true })
            return new(Sysctl.SynCookies, value == 1 ? "1 (when a queue is full)" : $"{value}", Verdict.Ok) { Needed = value == 1 ? purpose : "nothing: no listener of the run is on this host" };
        return new HostCheck(Sysctl.SynCookies, value == 0 ? "0 (off)" : $"{value} (always)", Verdict.Note)
        {
            Needed = value == 0 ? $"{purpose}; now {Sysctl.SynBacklog} bounds it" : $"{purpose}; always on, SYN-RECEIVED is never seen and options are lost",
            Risk = "none: this is the kernel's default",
        }.SetTo(host, Sysctl.SynCookies, "1");
    }
}
