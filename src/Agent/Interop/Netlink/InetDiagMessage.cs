using System.Buffers.Binary;
using System.Runtime.InteropServices;
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
    private readonly uint _interface;
    private readonly uint _cookie0;
    private readonly uint _cookie1;
    private readonly uint _expires;
    private readonly uint _receiveQueue;
    private readonly uint _sendQueue;
    private readonly uint _user;
    private readonly uint _inode;

    /// <summary>The state; Linux and RFC 9293 number them alike.</summary>
    public TcpState State => (TcpState)_state;

    /// <summary>The local address.</summary>
    public AddressBits Source => ToBits(_source0, _source1);

    /// <summary>The local port.</summary>
    public int SourcePort => BinaryPrimitives.ReverseEndianness(_sourcePort);

    /// <summary>The remote address.</summary>
    public AddressBits Destination => ToBits(_destination0, _destination1);

    /// <summary>The remote port.</summary>
    public int DestinationPort => BinaryPrimitives.ReverseEndianness(_destinationPort);

    /// <summary>Whether no process holds it any more: closed, and the kernel brings it to its end.</summary>
    public bool IsOrphan => _inode == 0;

    private AddressBits ToBits(ulong first, ulong second) =>
        _family == Libc.SocketAddress.AfInet ? AddressBits.OfV4((uint)first) : new(first, second);
}
