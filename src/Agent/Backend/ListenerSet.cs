using System.Collections.Immutable;
using LoadHarness.Agent.Interop;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Backend;

/// <summary>
/// The listening sockets of a backend, opened once by a plain thread. Every reactor accepts from copies of them, so that whom one
/// reactor has no room for the next one takes.
/// </summary>
internal sealed class ListenerSet : IDisposable
{
    // The kernel bounds it by net.core.somaxconn.
    private const int Backlog = 65_535;

    private ListenerSet(ImmutableArray<int> descriptors) => Descriptors = descriptors;

    /// <summary>Their numbers in the plain thread's descriptor table; none once it is disposed.</summary>
    public ImmutableArray<int> Descriptors { get; private set; }

    /// <summary>Listens on every endpoint, or on none.</summary>
    /// <exception cref="InvalidOperationException">An endpoint cannot be listened on; the message names it and the remedy.</exception>
    public static ListenerSet Open(ImmutableArray<(IpAddress Address, int Port)> endpoints)
    {
        var descriptors = ImmutableArray.CreateBuilder<int>(endpoints.Length);
        foreach (var (address, port) in endpoints)
        {
            var opened = Listen(address, port);
            if (opened.Ok)
            {
                descriptors.Add((int)opened.Value);
                continue;
            }

            new ListenerSet(descriptors.ToImmutable()).Dispose();
            throw new InvalidOperationException(ListenProbe.Describe(address, port, opened.Errno));
        }

        return new ListenerSet(descriptors.ToImmutable());
    }

    /// <summary>Listens on one endpoint; its descriptor.</summary>
    public static SysResult Listen(IpAddress address, int port)
    {
        var endpoint = new SocketAddress(address, port);
        var socket = Sockets.Create(endpoint.Family);
        if (!socket.Ok)
            return socket;
        var fd = (int)socket.Value;
        var result = Sockets.SetReuseAddress(fd);
        if (result.Ok && address.IsV6)
            result = Sockets.SetIpv6Only(fd);
        if (result.Ok)
            result = Sockets.Bind(fd, endpoint);
        if (result.Ok)
            result = Sockets.Listen(fd, Backlog);
        if (result.Ok)
            return socket;
        Sockets.Close(fd);
        return result;
    }

    /// <summary>Ends the listening at once, whoever still has a copy.</summary>
    public void Dispose()
    {
        foreach (var fd in Descriptors)
        {
            Sockets.StopListening(fd);
            Sockets.Close(fd);
        }

        Descriptors = [];
    }
}
