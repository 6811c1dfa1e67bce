using System.Buffers.Binary;
using System.Runtime.InteropServices;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>One socket of a dump: struct inet_diag_msg of linux/inet_diag.h (72 bytes), as far as it is needed.</summary>
[StructLayout(LayoutKind.Sequential, Size = ByteSize)]
public readonly struct InetDiagMessage
{
    /// <summary>Size of the structure, in bytes.</summary>
    public const int ByteSize = 72;

    private readonly byte _family;
    private readonly byte _state;
    private readonly byte _timer;
    private readonly byte _retransmits;
    private readonly ushort _sourcePort;
    private readonly ushort _destinationPort;
    private readonly ulong _source0;
    private readonly ulong _source1;
    private readonly ulong _destination0;
    private readonly ulong _destination1;

    /// <summary>The state; Linux and RFC 9293 number them alike.</summary>
    public TcpState State => (TcpState)_state;

    /// <summary>The local address. An IPv4-mapped one is given as the IPv4 address that it is.</summary>
    public IpAddress Source => ToAddress(_source0, _source1);

    /// <summary>The local port.</summary>
    public int SourcePort => BinaryPrimitives.ReverseEndianness(_sourcePort);

    /// <summary>The remote address, likewise.</summary>
    public IpAddress Destination => ToAddress(_destination0, _destination1);

    /// <summary>The remote port.</summary>
    public int DestinationPort => BinaryPrimitives.ReverseEndianness(_destinationPort);

    private IpAddress ToAddress(ulong first, ulong second)
    {
        if (_family == Libc.SocketAddress.AfInet)
            return new(false, BinaryPrimitives.ReverseEndianness((uint)first));
        var low = BinaryPrimitives.ReverseEndianness(second);
        return first == 0 && low >> 32 == 0xffff
            ? new(false, (uint)low)
            : new(true, new UInt128(BinaryPrimitives.ReverseEndianness(first), low));
    }
}
