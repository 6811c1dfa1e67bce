using System.Buffers.Binary;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>
/// An address as the kernel's 16 bytes hold it, read as two numbers without turning their bytes: good for comparing, in a few
/// instructions. IPv4 is kept in its IPv4-mapped form, so that an address is the same whichever socket has it.
/// </summary>
/// <param name="First">The first eight bytes.</param>
/// <param name="Second">The last eight bytes.</param>
public readonly record struct AddressBits(ulong First, ulong Second)
{
    // ::ffff:0:0 without its last four bytes.
    private const uint MappedPrefix = 0xffff0000;

    /// <summary>The address to count with.</summary>
    public IpAddress ToIpAddress() => First == 0 && (uint)Second == MappedPrefix
        ? new(false, BinaryPrimitives.ReverseEndianness((uint)(Second >> 32)))
        : new(true, new UInt128(BinaryPrimitives.ReverseEndianness(First), BinaryPrimitives.ReverseEndianness(Second)));

    /// <summary>Of an address that was counted with.</summary>
    internal static AddressBits Of(IpAddress address) => address.IsV6
        ? new(BinaryPrimitives.ReverseEndianness((ulong)(address.Value >> 64)), BinaryPrimitives.ReverseEndianness((ulong)address.Value))
        : OfV4(BinaryPrimitives.ReverseEndianness((uint)address.Value));

    /// <summary>Of an IPv4 address in network byte order.</summary>
    internal static AddressBits OfV4(uint address) => new(0, MappedPrefix | ((ulong)address << 32));
}
