using LoadHarness.Agent.Interop;
using LoadHarness.Agent.Interop.Netlink;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Provisioning;

/// <summary>Which source addresses TCP sockets of this network namespace are on, whoever holds them.</summary>
internal static class SourceSockets
{
    private const int Attempts = 5;

    // All that still send something: not TIME-WAIT, which has nothing to say any more, and no listeners.
    private static readonly uint _states = Enumerable.Range((int)TcpState.Established, 11)
        .Where(s => (TcpState)s is not (TcpState.TimeWait or TcpState.Listen)).Aggregate(0u, (mask, s) => mask | (1u << s));

    /// <summary>Reads them.</summary>
    /// <param name="addresses">Those of interest.</param>
    /// <param name="withOrphans">Also sockets that no process holds any more and that the kernel still brings to their end.</param>
    /// <param name="used">Addresses with sockets.</param>
    public static SysResult Read(HashSet<IpAddress> addresses, bool withOrphans, out HashSet<IpAddress> used)
    {
        var bits = new HashSet<AddressBits>(addresses.Select(AddressBits.Of));
        var visitor = new Visitor(bits, withOrphans);
        var result = SysResult.Failed(Interop.Libc.Errno.EINTR);
        for (var attempt = 0; attempt < Attempts && result.Errno == Interop.Libc.Errno.EINTR; attempt++)
        {
            // What an inconsistent dump has shown was there: it only errs towards leaving an address.
            result = SockDiagDump.Run(_states, [], ref visitor);
        }

        used = [.. visitor.Used.Select(u => u.ToIpAddress())];
        return result;
    }

    private readonly struct Visitor(HashSet<AddressBits> addresses, bool withOrphans) : ISocketVisitor
    {
        public HashSet<AddressBits> Used { get; } = [];

        public void Visit(in InetDiagMessage socket)
        {
            var source = socket.Source;
            if ((withOrphans || !socket.IsOrphan) && addresses.Contains(source))
                Used.Add(source);
        }
    }
}
