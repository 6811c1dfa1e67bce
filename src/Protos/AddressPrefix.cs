namespace LoadHarness.Protos;

/// <summary>An address with a prefix length, as `10.0.0.0/8`.</summary>
/// <param name="Address">The lowest address.</param>
/// <param name="Length">0 to 32, or to 128.</param>
public readonly record struct AddressPrefix(IpAddress Address, int Length)
{
    /// <summary>The highest address, as a number.</summary>
    public UInt128 Last => Address.Value | HostMask(Width(Address.IsV6) - Length);

    /// <summary>Whether an address lies under this prefix.</summary>
    public bool Contains(IpAddress address) =>
        address.IsV6 == Address.IsV6 && address.Value >= Address.Value && address.Value <= Last;

    /// <summary>Whether all of another prefix lies under this one.</summary>
    public bool Contains(AddressPrefix other) => other.Length >= Length && Contains(other.Address);

    /// <summary>The prefix of that length that an address lies under.</summary>
    public static AddressPrefix Of(IpAddress address, int length) =>
        new(address with { Value = address.Value & ~HostMask(Width(address.IsV6) - length) }, length);

    /// <summary>The fewest prefixes that cover a span of addresses exactly.</summary>
    /// <param name="v6">The family.</param>
    /// <param name="first">Lowest address.</param>
    /// <param name="last">Highest address.</param>
    public static IEnumerable<AddressPrefix> Cover(bool v6, UInt128 first, UInt128 last)
    {
        while (true)
        {
            // The largest block that begins here: bounded by the alignment of its address and by the end of the span.
            var bits = first == 0 ? Width(v6) : (int)UInt128.TrailingZeroCount(first);
            while (last - first < HostMask(bits))
                bits--;
            var prefix = new AddressPrefix(new(v6, first), Width(v6) - bits);
            yield return prefix;
            if (prefix.Last >= last)
                yield break;
            first = prefix.Last + 1;
        }
    }

    /// <summary>The longest prefix that contains both addresses.</summary>
    public static AddressPrefix Common(bool v6, UInt128 first, UInt128 last) =>
        Of(new(v6, first), Width(v6) - (128 - (int)UInt128.LeadingZeroCount(first ^ last)));

    /// <inheritdoc/>
    public override string ToString() => $"{Address}/{Length}";

    private static int Width(bool v6) => v6 ? 128 : 32;

    private static UInt128 HostMask(int bits) => bits == 128 ? UInt128.MaxValue : (UInt128.One << bits) - 1;
}
