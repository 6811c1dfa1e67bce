using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>What the kernel lets the engine use; tried, not guessed from the release.</summary>
internal static class KernelCheck
{
    private const string Name = "kernel";

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        var release = host.KernelRelease.Length == 0 ? "release unknown" : host.KernelRelease;
        var tables = host.UnshareErrno == 0 ? "descriptor table per reactor" : $"no descriptor table per reactor (errno {host.UnshareErrno})";
        var diag = host.SocketDiagErrno == 0 ? "sock_diag" : $"no sock_diag (errno {host.SocketDiagErrno})";
        var range = IsAtLeast(release, 6, 3) ? ", IP_LOCAL_PORT_RANGE" : "";
        return host.SocketDiagErrno == 0
            ? new(Name, $"{release}: {tables}, {diag}{range}", Verdict.Ok) { Needed = "close_range (5.9) and sock_diag" }
            : new(Name, $"{release}: {tables}, {diag}{range}", Verdict.Warning)
            {
                Needed = "sock_diag: without it the kernel's own count of connections is missing from the report",
                Remedy = "modprobe -a inet_diag tcp_diag",
                Risk = "none",
            };
    }

    private static bool IsAtLeast(string release, int major, int minor)
    {
        var parts = release.Split('.', '-');
        return parts.Length > 1 && int.TryParse(parts[0], out var first) && int.TryParse(parts[1], out var second)
            && (first, second).CompareTo((major, minor)) >= 0;
    }
}
