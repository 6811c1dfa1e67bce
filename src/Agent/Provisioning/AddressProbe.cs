using LoadHarness.Agent.Interop;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Interop.Netlink;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Provisioning;

/// <summary>Asks the link which IPv4 addresses other hosts have, many at a time (RFC 5227).</summary>
internal static class AddressProbe
{
    private const int Rounds = 3;
    private const int Batch = 256;

    // RFC 5227 has 1 to 2 s, for links that come up and sleepy hosts; this device is up, and no host on it sleeps.
    private static readonly TimeSpan _roundTime = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _batchPause = TimeSpan.FromMilliseconds(5);

    /// <summary>Probes addresses.</summary>
    /// <param name="link">A device that speaks ARP.</param>
    /// <param name="addresses">IPv4.</param>
    /// <param name="isAbandoned">Ends it early; then the result means nothing.</param>
    /// <param name="users">Takes the hardware address of who has an address, or is about to take it.</param>
    public static SysResult Probe(
        LinkEntry link, IReadOnlyCollection<IpAddress> addresses, Func<bool> isAbandoned, Dictionary<IpAddress, string> users)
    {
        var opened = ArpSocket.Open(link.Index, link.HardwareAddress, out var socket);
        if (!opened.Ok)
            return opened;
        using (socket)
        {
            var own = Number(link.HardwareAddress);
            var asked = addresses.ToHashSet();
            for (var round = 0; round < Rounds && !isAbandoned(); round++)
            {
                var until = Clock.MonotonicNanos + (_roundTime.Ticks * 100);
                var sent = Send(socket!, asked.Except(users.Keys), a => socket!.Probe(a), () => Harvest(socket!, own, asked, users));
                if (!sent.Ok)
                    return sent;
                // Once more after the time is over: who did not run meanwhile finds the answers waiting.
                do
                {
                    Thread.Sleep(_batchPause);
                    Harvest(socket!, own, asked, users);
                }
                while (Clock.MonotonicNanos < until);
            }

            return opened;
        }
    }

    /// <summary>Tells the link that addresses are here now, in place of what neighbours may remember.</summary>
    public static void Announce(LinkEntry link, IEnumerable<IpAddress> addresses)
    {
        if (!ArpSocket.Open(link.Index, link.HardwareAddress, out var socket).Ok)
            return;
        using (socket)
            Send(socket!, addresses, a => socket!.Announce(a), static () => { });
    }

    private static SysResult Send(ArpSocket socket, IEnumerable<IpAddress> addresses, Func<IpAddress, SysResult> send, Action between)
    {
        foreach (var (i, address) in addresses.ToList().Index())
        {
            if (i % Batch == Batch - 1)
            {
                between();
                Thread.Sleep(_batchPause);
            }

            var sent = send(address);
            for (var again = 0; sent.Errno is Errno.EAGAIN or Errno.ENOBUFS && again < Batch; again++)
            {
                Thread.Sleep(1);
                sent = send(address);
            }

            if (!sent.Ok)
                return sent;
        }

        return default;
    }

    // In use: its owner sent anything from it. About to be: another host probes it too.
    private static void Harvest(ArpSocket socket, ulong own, HashSet<IpAddress> asked, Dictionary<IpAddress, string> users)
    {
        while (socket.Receive(out var packet).Ok)
        {
            var address = packet.Sender.Value == 0 ? packet.Target : packet.Sender;
            if (packet.SenderHardware != own && asked.Contains(address))
                users.TryAdd(address, string.Join(':', Enumerable.Range(0, 6).Select(i => $"{(packet.SenderHardware >> (40 - (8 * i))) & 0xff:x2}")));
        }
    }

    private static ulong Number(byte[] hardware) => hardware.Aggregate(0UL, (n, b) => (n << 8) | b);
}
