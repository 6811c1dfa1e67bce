using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Backend;

/// <summary>Finds out, before anything starts, which endpoints cannot be listened on: all of them, not just the first.</summary>
public static class ListenProbe
{
    /// <summary>Tries each endpoint.</summary>
    public static IReadOnlyList<ListenProblem> Probe(IEnumerable<(IpAddress Address, int Port)> endpoints)
    {
        var problems = new List<ListenProblem>();
        foreach (var (address, port) in endpoints)
        {
            if (Try(address, port) is var errno and not 0)
                problems.Add(new(address, port, Describe(address, port, errno)));
        }

        return problems;
    }

    /// <summary>Endpoint as people write it: IPv6 in brackets.</summary>
    internal static string Show(IpAddress address, int port) => address.IsV6 ? $"[{address}]:{port}" : $"{address}:{port}";

    internal static string Describe(IpAddress address, int port, int errno) => errno switch
    {
        Errno.EADDRINUSE => $"{Show(address, port)}: port {port} is taken by another program; stop it (ss -ltnp 'sport = :{port}' names it) or listen on another port",
        Errno.EADDRNOTAVAIL => $"{Show(address, port)}: this host has no address {address}; listen on one that it has (ip addr) or on 0.0.0.0",
        Errno.EACCES or Errno.EPERM => $"{Show(address, port)}: ports below 1024 need CAP_NET_BIND_SERVICE; run as root or listen on a higher port",
        Errno.EMFILE or Errno.ENFILE => $"{Show(address, port)}: no descriptor left; raise ulimit -n",
        _ => $"{Show(address, port)}: cannot be listened on: errno {errno}",
    };

    private static int Try(IpAddress address, int port)
    {
        var listener = ListenerSet.Listen(address, port);
        if (listener.Ok)
            Sockets.Close((int)listener.Value);
        return listener.Errno;
    }
}
