using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Preflight;

/// <summary>Names the network namespace so that agents on one host know whether they share it.</summary>
internal static class NamespaceIdentity
{
    /// <summary>
    /// The boot id with the namespace's cookie; before kernel 5.14 with its inode, which may be used again after it was deleted.
    /// </summary>
    public static string Read()
    {
        var boot = ProcFile.ReadText("/proc/sys/kernel/random/boot_id") ?? Environment.MachineName;
        var cookie = NetworkNamespace.Cookie();
        return cookie.Ok ? $"{boot}/{cookie.Value}" : $"{boot}/{InodeLink()}";
    }

    private static string InodeLink() => new FileInfo("/proc/thread-self/ns/net").LinkTarget ?? "net";
}
