using LoadHarness.V1;

namespace LoadHarness.Agent.Preflight;

/// <summary>Whether each reactor can have a descriptor table of its own. Tried, not guessed: a sandbox may refuse it.</summary>
internal static class DescriptorTableCheck
{
    /// <summary>What a refusal costs.</summary>
    /// <param name="errno">Why not; 0 when it can.</param>
    /// <param name="limit">RLIMIT_NOFILE.</param>
    public static AgentFinding? Check(int errno, int limit) => errno == 0 ? null : new(
        Finding.Types.Severity.Warning,
        "close_range",
        $"reactors cannot have descriptor tables of their own (close_range with CLOSE_RANGE_UNSHARE: errno {errno}), so this agent "
        + $"holds at most {Math.Max(1, limit - HostInventory.OwnDescriptors)} connections over all its reactors; run kernel 5.9 or newer, "
        + "allow close_range in the sandbox's seccomp profile, or raise ulimit -n");
}
