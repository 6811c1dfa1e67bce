using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>fs.file-max against fs.file-nr: open files of the whole host. Both ends count when both are here.</summary>
internal static class FileMaxCheck
{
    // A host with less room than this is not made for load.
    private const long Comfortable = 100_000;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        const string purpose = "one open file for each socket on the host";
        if (host.Number(Sysctl.FileMax) is not { } most || host.Number(Sysctl.FileNr) is not { } open)
            return Sysctl.Unknown(host, Sysctl.FileMax, purpose);
        var left = Math.Max(0, most - open);
        var sockets = need?.Sockets ?? 0;
        var value = $"{Amount.Count(most)}, {Amount.Count(open)} open: room for {Amount.Count(left)}";
        var needed = sockets > 0 ? $"{Amount.Count(sockets)} sockets{(need!.BothEnds ? ", both ends of each connection" : "")}" : purpose;
        var verdict = left < sockets ? Verdict.Error : left < Comfortable ? Verdict.Note : Verdict.Ok;
        var check = new HostCheck(Sysctl.FileMax, value, verdict) { Needed = needed };
        return verdict == Verdict.Ok ? check : (check with { Risk = "none by itself: memory is used by open files, not by the limit" })
            .SetTo(host, Sysctl.FileMax, $"{Sysctl.WithRoom(Math.Min(open, HostNeed.Most) + Math.Max(sockets, Comfortable))}");
    }
}
