using System.Net;
using System.Net.Sockets;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>Finds ports for a backend on this machine, starts it there and waits until it accepts.</summary>
public static class LocalBackend
{
    /// <summary>Connections that one port takes comfortably: well under the 60,000 or so source ports of one address.</summary>
    private const int ConnectionsPerPort = 25_000;
    private const int FewestPorts = 10;
    private const int MostPorts = 1_000;
    private const int FirstPort = 9000;
    private const int LastPort = 32_000;
    private const int TailLines = 12;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _betweenLooks = TimeSpan.FromMilliseconds(50);

    /// <summary>The target that is tried first, for checks before anything is started.</summary>
    /// <param name="connections">The goal.</param>
    public static string FirstTarget(long connections) => TargetOf(new PortSpan(FirstPort, FirstPort + PortsFor(connections) - 1));

    /// <summary>Starts a backend.</summary>
    /// <param name="session">Keeps the child.</param>
    /// <param name="connections">What it will have to hold.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The target to load, as in <c>127.0.0.1:9000-9009</c>.</returns>
    /// <exception cref="LocalFleetException">No ports are free, or the backend does not come up.</exception>
    public static async Task<string> StartAsync(LocalSession session, long connections, CancellationToken cancel)
    {
        var ports = FreePorts(FirstPort, PortsFor(connections));
        var child = await session.StartBackendAsync(IpAddress.From(IPAddress.Loopback), ports);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(_patience);
        foreach (var port in Enumerable.Range(ports.First, ports.Count))
            await WaitUntilAcceptingAsync(child, port, timeout.Token, cancel);
        return TargetOf(ports);
    }

    internal static int PortsFor(long connections) =>
        (int)Math.Clamp((connections + ConnectionsPerPort - 1) / ConnectionsPerPort, FewestPorts, MostPorts);

    /// <summary>Consecutive ports on which nobody listens, the first such from a port on.</summary>
    internal static PortSpan FreePorts(int from, int count)
    {
        for (var first = from; first + count - 1 <= LastPort;)
        {
            var taken = Enumerable.Range(first, count).Select(p => (int?)p).FirstOrDefault(p => !IsFree(p!.Value));
            if (taken is null)
                return new(first, first + count - 1);
            first = taken.Value + 1;
        }

        throw new LocalFleetException($"no {count} consecutive ports from {from} to {LastPort} are free on 127.0.0.1; end what listens there");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task WaitUntilAcceptingAsync(ChildProcess child, int port, CancellationToken patience, CancellationToken cancel)
    {
        while (!await AcceptsAsync(port))
        {
            if (child.Exited.IsCompleted || (patience.IsCancellationRequested && !cancel.IsCancellationRequested))
                throw await WhyNotAsync(child, port);
            cancel.ThrowIfCancellationRequested();
            await Task.Delay(_betweenLooks, CancellationToken.None);
        }
    }

    private static async Task<bool> AcceptsAsync(int port)
    {
        try
        {
            // Reset, not closed: a look must leave nothing in TIME-WAIT that the kernel view would then count.
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.LingerState = new LingerOption(true, 0);
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<LocalFleetException> WhyNotAsync(ChildProcess child, int port)
    {
        var what = child.Exited.IsCompleted
            ? $"has ended ({(await child.Exited).How})"
            : $"does not accept connections on 127.0.0.1:{port} after {_patience.TotalSeconds:0} s";
        var said = string.Join(Environment.NewLine, child.Tail(TailLines).Select(l => $"  {l}"));
        return new($"the backend {what}" + (said.Length > 0 ? $"; it said:{Environment.NewLine}{said}" : ""));
    }

    private static string TargetOf(PortSpan ports) => $"127.0.0.1:{ports}";
}
