using LoadHarness.Protos;

namespace LoadHarness.Agent.Safety;

/// <summary>What an address really reaches, and which addresses are special.</summary>
internal static class AddressForms
{
    private const int EmbeddedPrefix = 96;

    /// <summary>::ffff:0:0/96, IPv4-mapped (RFC 4291, 2.5.5.2): the kernel connects to the IPv4 address.</summary>
    private static readonly UInt128 _mapped = (UInt128)0xffff << 32;

    /// <summary>64:ff9b::/96, NAT64 (RFC 6052, 2.1): a translator connects to the IPv4 address.</summary>
    private static readonly UInt128 _nat64 = (UInt128)0x0064_ff9b_0000_0000 << 64;

    private static readonly UInt128[] _forms = [_mapped, _nat64];

    private static readonly (AddressPrefix Prefix, string Kind)[] _special =
    [
        (V4(0, 8), "unspecified"),
        (V4(0xa9fe_0000, 16), "link-local"),
        (V4(0xe000_0000, 4), "multicast"),
        (V4(0xffff_ffff, 32), "broadcast"),
        (V6(0, 128), "unspecified"),
        (V6((UInt128)0xfe80 << 112, 10), "link-local"),
        (V6((UInt128)0xff00 << 112, 8), "multicast"),
    ];

    /// <summary>127.0.0.0/8 (RFC 1122, 3.2.1.3).</summary>
    public static readonly AddressPrefix LoopbackV4 = V4(0x7f00_0000, 8);

    /// <summary>Special addresses: no entry covers them unless it lies inside one of these.</summary>
    public static IReadOnlyList<(AddressPrefix Prefix, string Kind)> Special => _special;

    /// <summary>The address that is really reached.</summary>
    /// <param name="address">Any.</param>
    /// <param name="isTranslated">A NAT64 form: it is reached from the translator, whose loopback is not ours.</param>
    public static IpAddress Unwrap(IpAddress address, out bool isTranslated)
    {
        isTranslated = address.IsV6 && HasPrefix(address.Value, _nat64);
        return isTranslated || (address.IsV6 && HasPrefix(address.Value, _mapped)) ? new(false, (uint)address.Value) : address;
    }

    /// <summary>A prefix inside one of the two forms becomes the IPv4 prefix that it stands for.</summary>
    public static AddressPrefix Unwrap(AddressPrefix prefix)
    {
        var unwrapped = Unwrap(prefix.Address, out _);
        var isWhole = unwrapped.IsV6 == prefix.Address.IsV6 || prefix.Length < EmbeddedPrefix;
        return isWhole ? prefix : new(unwrapped, prefix.Length - EmbeddedPrefix);
    }

    /// <summary>The first address of each form.</summary>
    public static IReadOnlyList<UInt128> Forms => _forms;

    private static bool HasPrefix(UInt128 value, UInt128 prefix) => value >> 32 == prefix >> 32;

    private static AddressPrefix V4(uint value, int length) => new(new(false, value), length);

    private static AddressPrefix V6(UInt128 value, int length) => new(new(true, value), length);
}
