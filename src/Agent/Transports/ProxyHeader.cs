using System.Buffers.Binary;
using System.Globalization;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Transports;

/// <summary>
/// The header of the PROXY protocol for a TCP connection (haproxy, doc/proxy-protocol.txt, sections 2.1 and 2.2). Allocates
/// nothing.
/// </summary>
public static class ProxyHeader
{
    /// <summary>Bytes that any header fits into: "PROXY TCP6", two addresses of 39, two ports, white space, CRLF.</summary>
    public const int Longest = 104;

    private const byte Version2Proxy = 0x21;
    private const byte TcpOverV4 = 0x11;
    private const byte TcpOverV6 = 0x21;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Writes one. Where only one of the addresses is IPv6, the other is written as IPv4-mapped: a header has one family.</summary>
    /// <param name="to">At least <see cref="Longest"/> bytes.</param>
    /// <param name="version">V1 or V2.</param>
    /// <param name="source">Who is said to connect.</param>
    /// <param name="sourcePort">1 to 65535.</param>
    /// <param name="destination">What is connected to.</param>
    /// <param name="destinationPort">1 to 65535.</param>
    /// <returns>How many bytes.</returns>
    public static int Write(Span<byte> to, ProxyProtocol version, IpAddress source, int sourcePort, IpAddress destination, int destinationPort)
    {
        if (source.IsV6 != destination.IsV6)
            (source, destination) = (Mapped(source), Mapped(destination));
        return version switch
        {
            ProxyProtocol.V1 => WriteText(to, source, sourcePort, destination, destinationPort),
            ProxyProtocol.V2 => WriteBinary(to, source, sourcePort, destination, destinationPort),
            _ => throw new ArgumentOutOfRangeException(nameof(version), version, "V1 or V2"),
        };
    }

    private static IpAddress Mapped(IpAddress address) => address.IsV6 ? address : new(true, ((UInt128)0xFFFF << 32) | address.Value);

    private static int WriteText(Span<byte> to, IpAddress source, int sourcePort, IpAddress destination, int destinationPort)
    {
        var at = Copy(to, source.IsV6 ? "PROXY TCP6 "u8 : "PROXY TCP4 "u8);
        at += WriteAddress(to[at..], source);
        to[at++] = (byte)' ';
        at += WriteAddress(to[at..], destination);
        to[at++] = (byte)' ';
        at += WriteNumber(to[at..], (uint)sourcePort);
        to[at++] = (byte)' ';
        at += WriteNumber(to[at..], (uint)destinationPort);
        return at + Copy(to[at..], "\r\n"u8);
    }

    private static int WriteAddress(Span<byte> to, IpAddress address)
    {
        var (parts, bits, separator) = address.IsV6 ? (8, 16, (byte)':') : (4, 8, (byte)'.');
        var at = 0;
        for (var i = parts - 1; i >= 0; i--)
        {
            var part = (uint)(address.Value >> (i * bits)) & ((1u << bits) - 1);
            at += WriteNumber(to[at..], part, address.IsV6 ? "x" : default);
            if (i > 0)
                to[at++] = separator;
        }

        return at;
    }

    private static int WriteNumber(Span<byte> to, uint number, ReadOnlySpan<char> format = default)
    {
        number.TryFormat(to, out var written, format, CultureInfo.InvariantCulture);
        return written;
    }

    private static int WriteBinary(Span<byte> to, IpAddress source, int sourcePort, IpAddress destination, int destinationPort)
    {
        var at = Copy(to, Signature);
        to[at++] = Version2Proxy;
        to[at++] = source.IsV6 ? TcpOverV6 : TcpOverV4;
        var length = to[at..];
        at += 2;
        var addresses = at;
        at += WriteBytes(to[at..], source);
        at += WriteBytes(to[at..], destination);
        BinaryPrimitives.WriteUInt16BigEndian(to[at..], (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(to[(at + 2)..], (ushort)destinationPort);
        at += 4;
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)(at - addresses));
        return at;
    }

    private static int WriteBytes(Span<byte> to, IpAddress address)
    {
        if (address.IsV6)
            BinaryPrimitives.WriteUInt128BigEndian(to, address.Value);
        else
            BinaryPrimitives.WriteUInt32BigEndian(to, (uint)address.Value);
        return address.IsV6 ? 16 : 4;
    }

    private static int Copy(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to);
        return bytes.Length;
    }
}
