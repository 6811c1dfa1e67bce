using CsCheck;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Planning;

public class AddressRangesTests
{
    private static readonly Gen<IpRange> _range = Gen.Select(
        Gen.Bool, Gen.Int[0, 60], Gen.Int[1, 8], (isV6, first, count) => new IpRange(new IpAddress(isV6, (UInt128)first), count));

    [Test]
    public void Touches_AnyRanges_SaysWhetherOneOverlaps() => Gen.Select(_range.Array[0, 12], _range).Sample((ranges, range) =>
        AddressRanges.Touches(AddressRanges.Merge(ranges), range) == ranges.Any(r => r.Overlaps(range)));
}
