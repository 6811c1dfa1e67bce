using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Assignments;

/// <summary>Binds every source of a slice once: what this host does not have is found before the first connect.</summary>
internal static class SourceProbe
{
    /// <summary>Whether this host has the address.</summary>
    public static bool IsThere(IpAddress address) => Bind(address) == 0;

    /// <summary>Probes all sources that something new may be opened from, but for those that were probed before.</summary>
    /// <param name="slice">With the sources.</param>
    /// <param name="probed">The slice before this one; null when there was none. A source of it may be gone by now: that is no reason to refuse.</param>
    /// <returns>Null, or the refusal that names the first address that cannot be bound and how many there are.</returns>
    public static AssignmentRefusal? Probe(Slice slice, Slice? probed)
    {
        AssignmentRefusal? refusal = null;
        var (refused, total) = (0L, 0L);
        var before = probed is null ? [] : probed.Blocks.Select(b => b.Sources).ToHashSet();
        foreach (var sources in slice.Blocks.Where(b => !b.Retiring).Select(b => b.Sources).Distinct().Where(s => !before.Contains(s)))
        {
            for (var i = 0L; i < sources.Count; i++, total++)
            {
                var address = sources.First.Plus(i);
                if (before.Any(s => s.Contains(address)))
                    continue;
                var errno = Bind(address);
                if (errno == 0)
                    continue;
                refused++;
                refusal ??= new("slice.blocks.sources", "address", Describe(address, errno));
            }
        }

        return refused <= 1 || refusal is null
            ? refusal
            : refusal with { Message = $"{refusal.Message} ({refused:N0} of {total:N0} sources cannot be bound)" };
    }

    private static int Bind(IpAddress address)
    {
        var source = new SocketAddress(address, 0);
        var socket = Sockets.Create(source.Family);
        if (!socket.Ok)
            return socket.Errno;
        // Ports may all be ours by now: only the address is asked for.
        Sockets.SetBindAddressNoPort((int)socket.Value);
        var bound = Sockets.Bind((int)socket.Value, source);
        Sockets.Close((int)socket.Value);
        return bound.Errno;
    }

    private static string Describe(IpAddress address, int errno) => errno switch
    {
        Errno.EADDRNOTAVAIL => $"source {address}: this host has no such address; add it (ip addr add {address}/{(address.IsV6 ? 128 : 32)} dev DEVICE) or "
            + "name one that it has (ip addr)",
        Errno.EMFILE or Errno.ENFILE => $"source {address}: no descriptor left to try it; raise ulimit -n",
        _ => $"source {address} cannot be bound: errno {errno}",
    };
}
