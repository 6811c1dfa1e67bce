using System.Buffers.Binary;
using System.Runtime.InteropServices;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>A sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)) with its length; what bind(2) and connect(2) are given.</summary>
[StructLayout(LayoutKind.Explicit, Size = 32)]
public unsafe struct SocketAddress
{
    internal const int AfInet = 2;
    internal const int AfInet6 = 10;
    private const int LengthV4 = 16;
    private const int LengthV6 = 28;

    [FieldOffset(0)] private fixed byte _bytes[28];
    [FieldOffset(0)] private ushort _family;
    [FieldOffset(28)] private int _length;

    /// <summary>An address with a port, 0 to 65535.</summary>
    public SocketAddress(IpAddress address, int port)
    {
        this = default;
        _family = (ushort)(address.IsV6 ? AfInet6 : AfInet);
        _length = address.IsV6 ? LengthV6 : LengthV4;
        fixed (byte* bytes = _bytes)
        {
            if (address.IsV6)
                BinaryPrimitives.WriteUInt128BigEndian(new Span<byte>(bytes + 8, 16), address.Value);
            else
                BinaryPrimitives.WriteUInt32BigEndian(new Span<byte>(bytes + 4, 4), (uint)address.Value);
        }

        Port = port;
    }

    /// <summary>AF_INET or AF_INET6.</summary>
    public readonly int Family => _family;

    /// <summary>Bytes that the kernel is to look at.</summary>
    public readonly int Length => _length;

    /// <summary>The address.</summary>
    public readonly IpAddress Address
    {
        get
        {
            fixed (byte* bytes = _bytes)
                return IpAddress.FromBytes(Family == AfInet6 ? new ReadOnlySpan<byte>(bytes + 8, 16) : new ReadOnlySpan<byte>(bytes + 4, 4));
        }
    }

    /// <summary>The port, in host order.</summary>
    public int Port
    {
        readonly get => (_bytes[2] << 8) | _bytes[3];
        set
        {
            _bytes[2] = (byte)(value >> 8);
            _bytes[3] = (byte)value;
        }
    }
}
