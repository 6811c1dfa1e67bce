using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace LoadHarness.Protos;

/// <summary>An IPv4 or IPv6 address that can be counted with: ordered by family, then by value.</summary>
/// <param name="IsV6">IPv6; otherwise the value is below 2^32.</param>
/// <param name="Value">The address as a number.</param>
public readonly record struct IpAddress(bool IsV6, UInt128 Value) : IComparable<IpAddress>
{
    /// <summary>From the framework's type. An IPv4-mapped IPv6 address becomes IPv4: it is connected to as such.</summary>
    public static IpAddress From(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        return FromBytes(address.GetAddressBytes());
    }

    /// <summary>From 4 or 16 bytes in network byte order.</summary>
    /// <exception cref="ArgumentException">Any other length.</exception>
    public static IpAddress FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        4 => new(false, BinaryPrimitives.ReadUInt32BigEndian(bytes)),
        16 => new(true, BinaryPrimitives.ReadUInt128BigEndian(bytes)),
        _ => throw new ArgumentException($"an address has 4 or 16 bytes, not {bytes.Length}", nameof(bytes)),
    };

    /// <summary>4 or 16 bytes in network byte order.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[IsV6 ? 16 : 4];
        if (IsV6)
            BinaryPrimitives.WriteUInt128BigEndian(bytes, Value);
        else
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)Value);
        return bytes;
    }

    /// <summary>To the framework's type.</summary>
    public IPAddress ToIPAddress() => new(ToBytes());

    /// <summary>The family, for messages and sockets.</summary>
    public AddressFamily Family => IsV6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;

    /// <summary>The address <paramref name="offset"/> further on.</summary>
    public IpAddress Plus(long offset) => this with { Value = Value + (UInt128)(Int128)offset };

    /// <inheritdoc/>
    public int CompareTo(IpAddress other) => IsV6 == other.IsV6 ? Value.CompareTo(other.Value) : IsV6.CompareTo(other.IsV6);

    /// <inheritdoc/>
    public override string ToString() => ToIPAddress().ToString();
}
