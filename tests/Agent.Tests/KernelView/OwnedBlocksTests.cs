using CsCheck;
using LoadHarness.Agent.KernelView;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.KernelView;

public class OwnedBlocksTests
{
    [Test]
    public void Contains_AnyBlocks_AgreesWithEachBlock()
    {
        var address = Gen.Select(Gen.Bool, Gen.UInt[0, 30]).Select((v6, n) => new IpAddress(v6, 1000 + (UInt128)n));
        var block = Gen.Select(address, Gen.Long[1, 10], Gen.Int[0, 255], Gen.Int[1, 256])
            .Select((first, count, group, groups) => new BlockRange(new(first, count), group * 256, Math.Min(groups, 256 - group)));
        Gen.Select(block.Array[0, 8], Gen.Select(address, Gen.Int[1, 65535]).Array[50]).Sample((blocks, probes) =>
        {
            var owned = new OwnedBlocks([.. blocks]);
            foreach (var (source, port) in probes)
            {
                var wanted = blocks.Any(b =>
                    b.Sources.Contains(source) && port >= b.FirstPort && port < b.FirstPort + (b.PortBlocks * 256));
                Assert.That(owned.Contains(source, port), Is.EqualTo(wanted), $"{source} port {port}");
            }
        });
    }
}
