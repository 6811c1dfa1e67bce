using System.Collections.Immutable;
using LoadHarness.Protos;
using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>
/// net.ipv4.ip_local_reserved_ports: agents keep off them. A port that is listened on inside the range from which the kernel chooses
/// can be taken by an outgoing connection before its service starts again, unless it is reserved.
/// </summary>
internal static class ReservedPortsCheck
{
    private const int FirstUsable = 1024;
    private const int LastPort = 65535;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        if (!host.Sysctls.TryGetValue(Sysctl.ReservedPorts, out var text))
            return Sysctl.Unknown(host, Sysctl.ReservedPorts, "ports that nobody may take by chance");
        var reserved = ProcFile.ParsePortList(text);
        if (reserved.IsEmpty && text.Length > 0)
            return Sysctl.Unknown(host, Sysctl.ReservedPorts, "ports that nobody may take by chance");
        var left = Enumerable.Range(FirstUsable, LastPort - FirstUsable + 1).Count(p => !Contains(reserved, p));
        var value = text.Length == 0 ? "none" : $"{Clip(text)}: {Amount.Count(left)} of {LastPort - FirstUsable + 1:N0} are left to a source address";
        var exposed = need is { Listens: true } ? Exposed(host, reserved) : [];
        return exposed.IsEmpty
            ? new(Sysctl.ReservedPorts, value, left < (LastPort - FirstUsable) / 2 ? Verdict.Note : Verdict.Ok) { Needed = "agents keep off these ports" }
            : new(Sysctl.ReservedPorts, value, Verdict.Note)
            {
                Needed = $"listening inside {Sysctl.PortRange} and not reserved: {Clip(string.Join(',', exposed))}",
                Remedy = $"sysctl -w {Sysctl.ReservedPorts}={Clip(string.Join(',', reserved.Concat(exposed)))}",
                Risk = "programs that let the kernel choose have fewer ports; the list is replaced as a whole",
            };
    }

    private static ImmutableArray<PortSpan> Exposed(HostFacts host, ImmutableArray<PortSpan> reserved)
    {
        var (first, last) = (host.Number(Sysctl.PortRange) ?? LastPort, host.Number(Sysctl.PortRange, 1) ?? 0);
        return [.. host.ListeningPorts.Where(s => s.First <= last && s.Last >= first && !Enumerable.Range(s.First, s.Count).All(p => Contains(reserved, p)))];
    }

    private static bool Contains(ImmutableArray<PortSpan> spans, int port) => spans.Any(s => s.Contains(port));

    private static string Clip(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
