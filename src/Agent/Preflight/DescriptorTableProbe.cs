using LoadHarness.Agent.Interop;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.V1;

namespace LoadHarness.Agent.Preflight;

/// <summary>Whether a thread can have a descriptor table of its own. Tried, not guessed: a sandbox may refuse it.</summary>
internal static class DescriptorTableProbe
{
    /// <summary>Tries it on a thread that ends at once, and its table with it.</summary>
    public static SysResult Run()
    {
        SysResult result = default;
        var thread = new Thread(() => result = DescriptorTable.Unshare()) { Name = "descriptor-table-probe", IsBackground = true };
        thread.Start();
        thread.Join();
        return result;
    }

    /// <summary>What a refusal costs.</summary>
    /// <param name="result">Of <see cref="Run"/>.</param>
    /// <param name="limit">RLIMIT_NOFILE.</param>
    public static AgentFinding? Check(SysResult result, int limit) => result.Ok ? null : new(
        Finding.Types.Severity.Warning,
        "close_range",
        $"threads cannot have descriptor tables of their own (close_range with CLOSE_RANGE_UNSHARE: errno {result.Errno}), so this agent "
        + $"holds at most {Math.Max(1, limit - HostInventory.OwnDescriptors)} connections over all its reactors; run kernel 5.9 or newer, "
        + "allow close_range in the sandbox's seccomp profile, or raise ulimit -n");
}
