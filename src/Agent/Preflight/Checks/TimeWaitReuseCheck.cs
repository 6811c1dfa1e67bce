using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>net.ipv4.tcp_tw_reuse: asked when the kernel chooses the port, so not for agents.</summary>
internal static class TimeWaitReuseCheck
{
    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        const string purpose = "nothing: it is asked where the kernel chooses the port, and agents choose theirs";
        if (host.Number(Sysctl.TimeWaitReuse) is not { } value)
            return Sysctl.Unknown(host, Sysctl.TimeWaitReuse, purpose);
        var meaning = value switch { 0 => "off", 1 => "on", 2 => "on for loopback", _ => "?" };
        return new(Sysctl.TimeWaitReuse, $"{value} ({meaning})", Verdict.Ok) { Needed = purpose };
    }
}
