using CsCheck;
using LoadHarness.Agent.Assignments;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Assignments;

public sealed class BlockDealerTests
{
    private const long PerReactor = 19_800;

    private static readonly Gen<(long[] Held, long[] Fresh)> _deals = Gen.Select(Gen.Long[0, 60_000].Array[1, 12], Gen.Long[0, 5000].Array[0, 60]);

    [Test]
    public void Deal_EqualBlocksAndNewReactors_GoRound() =>
        Assert.That(BlockDealer.Deal([0, 0, 0], [256, 256, 256, 256, 256], PerReactor), Is.EqualTo(new[] { 0, 1, 2, 0, 1 }));

    [Test]
    public void Deal_AReactorThatStartsLater_CatchesUpFirst() =>
        Assert.That(BlockDealer.Deal([2560, 2560, 0], [1000, 1000, 1000, 1000, 1000], PerReactor), Is.EqualTo(new[] { 2, 2, 2, 0, 1 }));

    [Test]
    public void Deal_SomeHaveMoreThanTheyCanHold_TheOthersComeFirst() =>
        Assert.That(BlockDealer.Deal([25_600, 19_000, 25_600], [500, 500, 500], PerReactor), Is.EqualTo(new[] { 1, 1, 1 }));

    [Test]
    public void Deal_AsManyBlocksAsEmptyReactors_GivesEachOne() =>
        Gen.Select(Gen.Int[1, 10], Gen.Long[1, 5000].Array[10, 30]).Sample((reactors, fresh) =>
            BlockDealer.Deal(new long[reactors], fresh, PerReactor).Distinct().Count() == reactors);

    [Test]
    public void Deal_Any_WidensTheRoomAsMuchAsWholeBlocksAllow() =>
        _deals.Sample((held, fresh) =>
        {
            var sums = held.ToArray();
            var owners = BlockDealer.Deal(held, fresh, PerReactor);
            for (var i = 0; i < fresh.Length; i++)
            {
                // Nobody who has room for it is passed over for one who has not.
                var owner = owners[i];
                if (sums[owner] >= PerReactor && sums.Any(s => s < PerReactor))
                    return false;
                if (sums[owner] < PerReactor && sums.Any(s => s < sums[owner]))
                    return false;
                sums[owner] += fresh[i];
            }

            return owners.Length == fresh.Length;
        });

    [Test]
    public void TuplesOf_BlocksOfBothFamilies_CountPortsThatMayBeBoundTimesTheirDestinations()
    {
        var v4 = new IpAddress(false, 0x7F000001);
        var v6 = new IpAddress(true, 1);
        var capacity = new BlockCapacity([(v4, 80), (v4, 81), (v6, 80)]);
        capacity.Exclude([new(1024, 1033), new(1030, 1050)]);

        Assert.Multiple(() =>
        {
            Assert.That(capacity.TuplesOf((v4, 1024)), Is.EqualTo((256 - 27) * 2));
            Assert.That(capacity.TuplesOf((v6, 1024)), Is.EqualTo(256 - 27));
            Assert.That(capacity.TuplesOf((v6, 1280)), Is.EqualTo(256));
            Assert.That(capacity.TuplesOf((v6, 0)), Is.EqualTo(255), "port 0 is none");
        });
    }
}
