using System.Collections;
using System.Collections.Immutable;
using LoadHarness.Agent.Interop.Netlink;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Preflight;

/// <summary>The TCP ports of this network namespace that somebody listens on: a source must stay away from them.</summary>
internal static class ListeningPorts
{
    private const int Ports = 65536;

    /// <summary>In rising order; consecutive ports are one span. Empty when the kernel does not say.</summary>
    public static ImmutableArray<PortSpan> Read()
    {
        var listeners = new Listeners(new BitArray(Ports));
        return SockDiagDump.Run(1u << (int)TcpState.Listen, [], ref listeners).Ok ? Spans(listeners.Ports) : [];
    }

    private static ImmutableArray<PortSpan> Spans(BitArray ports)
    {
        var spans = ImmutableArray.CreateBuilder<PortSpan>();
        for (var port = 1; port < Ports; port++)
        {
            if (!ports[port])
                continue;
            var first = port;
            while (port + 1 < Ports && ports[port + 1])
                port++;
            spans.Add(new(first, port));
        }

        return spans.DrainToImmutable();
    }

    private readonly struct Listeners(BitArray ports) : ISocketVisitor
    {
        public BitArray Ports => ports;

        public void Visit(in InetDiagMessage socket) => ports[socket.SourcePort] = true;
    }
}
