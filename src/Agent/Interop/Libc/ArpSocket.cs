using System.Buffers.Binary;
using System.Runtime.InteropServices;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>ARP on one Ethernet device (packet(7), RFC 826). Used by one thread; no call waits. Wants CAP_NET_RAW.</summary>
internal sealed unsafe partial class ArpSocket : IDisposable
{
    private const int AfPacket = 17;
    private const int SockDgram = 2;
    private const int SockNonBlock = 0x800;
    private const int SockCloseOnExec = 0x80000;
    private const ushort EthernetArp = 0x0806;
    private const int SolSocket = 1;
    private const int SoRcvbufForce = 33;
    private const int ReceiveBytes = 8 << 20;
    private const int MacBytes = 6;
    private const int PacketBytes = 28;
    private const int MsgDontWait = 0x40;

    private readonly byte[] _mac;
    private readonly int _index;
    private int _descriptor;

    private ArpSocket(int descriptor, int index, byte[] mac) => (_descriptor, _index, _mac) = (descriptor, index, mac);

    /// <summary>Opens one.</summary>
    /// <param name="index">The device's number.</param>
    /// <param name="mac">The device's hardware address, 6 bytes.</param>
    /// <param name="socket">Null when the call failed.</param>
    public static SysResult Open(int index, byte[] mac, out ArpSocket? socket)
    {
        socket = null;
        var opened = SysResult.Of(ArpSocket.socket(AfPacket, SockDgram | SockNonBlock | SockCloseOnExec, BinaryPrimitives.ReverseEndianness(EthernetArp)));
        if (!opened.Ok)
            return opened;
        var arp = new ArpSocket((int)opened.Value, index, mac);
        var bytes = ReceiveBytes;
        _ = setsockopt((int)opened.Value, SolSocket, SoRcvbufForce, &bytes, sizeof(int));
        Span<byte> address = stackalloc byte[LinkAddressBytes];
        arp.Fill(address);
        fixed (byte* pointer = address)
        {
            var bound = SysResult.Of(bind((int)opened.Value, pointer, address.Length));
            if (bound.Ok)
                socket = arp;
            else
                arp.Dispose();
            return bound;
        }
    }

    /// <summary>Asks who has an address, as from nobody: nobody learns anything by it (RFC 5227, ARP probe).</summary>
    /// <returns>EAGAIN or ENOBUFS when the device cannot take more for now.</returns>
    public SysResult Probe(IpAddress address) => Send(sender: 0, (uint)address.Value);

    /// <summary>Tells everyone that an address is here now (RFC 5227, ARP announcement).</summary>
    public SysResult Announce(IpAddress address) => Send((uint)address.Value, (uint)address.Value);

    /// <summary>Takes the next packet that came in.</summary>
    /// <param name="packet">What it says; default when it was none that can be understood.</param>
    /// <returns>EAGAIN when there is none.</returns>
    public SysResult Receive(out ArpPacket packet)
    {
        packet = default;
        Span<byte> bytes = stackalloc byte[PacketBytes];
        fixed (byte* pointer = bytes)
        {
            var received = SysResult.Of(recv(_descriptor, pointer, bytes.Length, MsgDontWait));
            if (received.Ok && received.Value == PacketBytes && bytes[..6].SequenceEqual((ReadOnlySpan<byte>)[0, 1, 8, 0, MacBytes, 4]))
            {
                packet = new(
                    BinaryPrimitives.ReadUInt64BigEndian([0, 0, .. bytes[8..14]]),
                    IpAddress.FromBytes(bytes[14..18]),
                    IpAddress.FromBytes(bytes[24..28]));
            }

            return received;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
            Sockets.Close(descriptor);
    }

    private const int LinkAddressBytes = 20; // struct sockaddr_ll

    private SysResult Send(uint sender, uint target)
    {
        Span<byte> to = stackalloc byte[LinkAddressBytes];
        Fill(to);
        // Ethernet, IPv4, lengths, request; the target's hardware address stays zero.
        Span<byte> packet = stackalloc byte[PacketBytes];
        packet.Clear();
        ((ReadOnlySpan<byte>)[0, 1, 8, 0, MacBytes, 4, 0, 1]).CopyTo(packet);
        _mac.CopyTo(packet[8..]);
        BinaryPrimitives.WriteUInt32BigEndian(packet[14..], sender);
        BinaryPrimitives.WriteUInt32BigEndian(packet[24..], target);
        fixed (byte* data = packet, address = to)
            return SysResult.Of(sendto(_descriptor, data, packet.Length, MsgDontWait, address, to.Length));
    }

    /// <summary>The address of everyone on the link.</summary>
    private void Fill(Span<byte> address)
    {
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, AfPacket);
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], EthernetArp);
        BinaryPrimitives.WriteInt32LittleEndian(address[4..], _index);
        address[11] = MacBytes;
        address.Slice(12, MacBytes).Fill(0xff);
    }

    [LibraryImport("libc")]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc")]
    private static partial int bind(int fd, byte* address, int length);

    [LibraryImport("libc")]
    private static partial int setsockopt(int fd, int level, int option, void* value, int length);

    [LibraryImport("libc")]
    private static partial nint sendto(int fd, byte* data, nint length, int flags, byte* address, int addressLength);

    [LibraryImport("libc")]
    private static partial nint recv(int fd, byte* data, nint length, int flags);
}
