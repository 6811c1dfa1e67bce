using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Transports;

/// <summary>
/// The PROXY header ahead of everything else on a connection. Shared by all reactors, so that no two connections are said to come from
/// one client before all clients have had their turn.
/// </summary>
/// <param name="version">V1 or V2.</param>
/// <param name="clients">Who is said to connect, one after the other; null: who does.</param>
public sealed unsafe class ProxyPreamble(ProxyProtocol version, IpRange? clients)
{
    private long _turns;

    /// <summary>Sends it; Done, or it failed: there is always room for it ahead of everything else.</summary>
    /// <param name="fd">A socket that is connected, and has sent nothing yet.</param>
    /// <param name="source">Our end.</param>
    /// <param name="destination">The target's end.</param>
    /// <param name="fault">When it failed.</param>
    public TransportAnswer Send(int fd, in SocketAddress source, in SocketAddress destination, out TransportFault fault)
    {
        var header = stackalloc byte[ProxyHeader.Longest];
        var client = clients is { } range ? range.First.Plus((Interlocked.Increment(ref _turns) - 1) % range.Count) : source.Address;
        var length = ProxyHeader.Write(
            new(header, ProxyHeader.Longest), version, client, source.Port, destination.Address, destination.Port);
        var sent = Sockets.Send(fd, header, length);
        fault = sent.Ok ? default : TransportFault.OfErrno(sent.Errno);
        return sent.Ok ? TransportAnswer.Done : TransportAnswer.Failed;
    }
}
