using LoadHarness.V1;

namespace LoadHarness.Agent.Preflight;

/// <summary>fs.file-max: open files of the whole host, both ends of a connection when the target is here too.</summary>
internal static class FileMaxCheck
{
    /// <summary>Whether it leaves room for what this agent could hold.</summary>
    /// <param name="fileMax">fs.file-max; null when it is not known.</param>
    /// <param name="inUse">First number of fs.file-nr.</param>
    /// <param name="capacity">Connections that the agent's own limits allow.</param>
    public static AgentFinding? Check(long? fileMax, long? inUse, long capacity)
    {
        if (fileMax is not { } most || most - (inUse ?? 0) >= capacity)
            return null;
        var left = Math.Max(0, most - (inUse ?? 0));
        return new(Finding.Types.Severity.Warning, "fs.file-max",
            $"fs.file-max is {most} and {inUse ?? 0} files are open: this host takes {left} more sockets, "
            + $"fewer than the {capacity} that its agent could hold; sysctl -w fs.file-max={(inUse ?? 0) + (2 * capacity)}");
    }
}
