using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Agent.KernelView;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.KernelView;

public class SockDiagFilterTests
{
    // A small world: spans overlap, touch and nest often, and a probe hits their edges often.
    private static readonly UInt128 _v4Base = 0x0a00_0000;
    private static readonly UInt128 _v6Base = (UInt128)0xfd00 << 112;

    private static readonly Gen<IpAddress> _address =
        Gen.Select(Gen.Bool, Gen.UInt[0, 40]).Select((v6, n) => new IpAddress(v6, (v6 ? _v6Base : _v4Base) + n));

    private static readonly Gen<PortSpan> _ports =
        Gen.Select(Gen.Int[1, 60], Gen.Int[0, 12]).Select((first, more) => new PortSpan(first, first + more));

    private static readonly Gen<Destination> _destination =
        Gen.Select(_address, Gen.Long[1, 20], _ports).Select((address, count, ports) => new Destination(new(address, count), ports, ""));

    [Test]
    public void Compile_AnyDestinations_MatchesWhatTheyContain()
    {
        var probe = Gen.Select(_address, Gen.Int[1, 75]);
        Gen.Select(_destination.Array[1, 12], Gen.Bool, probe.Array[50]).Sample((destinations, v6Sockets, probes) =>
        {
            var set = DestinationSet.Of([.. destinations]);
            var code = SockDiagFilter.Compile(set, out var exact)!;
            Assert.That(exact, Is.True);
            Assert.That(BytecodeMachine.Audit(code), Is.Null);
            foreach (var (address, port) in probes.Where(p => v6Sockets || !p.Item1.IsV6))
            {
                var wanted = destinations.Any(d => d.Addresses.Contains(address) && d.Ports.Contains(port));
                Assert.That(BytecodeMachine.Matches(code, v6Sockets, address, port), Is.EqualTo(wanted), $"filter: {address} port {port}");
                Assert.That(set.Contains(address, port), Is.EqualTo(wanted), $"set: {address} port {port}");
            }
        });
    }

    [Test]
    public void CompileLocal_AnyPorts_MatchesThem() =>
        Gen.Select(Gen.Int[1, 20].Array[1, 12], Gen.Int[0, 5]).Sample((gaps, length) =>
        {
            var spans = ImmutableArray.CreateBuilder<PortSpan>();
            var next = 1;
            foreach (var gap in gaps)
            {
                spans.Add(new(next + gap, next + gap + length));
                next += gap + length + 1;
            }

            var code = SockDiagFilter.CompileLocal(spans.ToImmutable(), out var exact);

            Assert.That((exact, BytecodeMachine.Audit(code)), Is.EqualTo((true, (string?)null)));
            for (var port = 1; port < next + 5; port++)
            {
                Assert.That(BytecodeMachine.Matches(code, v6Socket: false, new(false, 1), 2, port), Is.EqualTo(spans.Any(s => s.Contains(port))), $"{port}");
            }
        });

    [Test]
    public void CompileLocal_TooManyPorts_LetsEverythingThroughThatIsWanted()
    {
        ImmutableArray<PortSpan> spans = [.. Enumerable.Range(0, 300).Select(i => new PortSpan(1000 + (i * 2), 1000 + (i * 2)))];

        var code = SockDiagFilter.CompileLocal(spans, out var exact);

        Assert.That((exact, BytecodeMachine.Audit(code)), Is.EqualTo((false, (string?)null)));
        foreach (var port in new[] { 1000, 1001, 1598 })
            Assert.That(BytecodeMachine.Matches(code, v6Socket: false, new(false, 1), 2, port), Is.True);
        Assert.That(BytecodeMachine.Matches(code, v6Socket: false, new(false, 1), 2, 1599), Is.False);
    }

    [Test]
    public void Compile_TooManyConditions_LetsEverythingThroughThatIsWanted()
    {
        var destinations = Enumerable.Range(0, 400).Select(i =>
            new Destination(new(new(false, _v4Base + (UInt128)(i * 3)), 1), new(1000 + (i * 2), 1000 + (i * 2)), "")).ToImmutableArray();

        var code = SockDiagFilter.Compile(DestinationSet.Of(destinations), out var exact)!;

        Assert.That(exact, Is.False);
        Assert.That(BytecodeMachine.Audit(code), Is.Null);
        Assert.That(code, Has.Length.LessThan(100));
        foreach (var d in destinations)
            Assert.That(BytecodeMachine.Matches(code, v6Socket: false, d.Addresses.First, d.Ports.First), Is.True);
        Assert.That(BytecodeMachine.Matches(code, v6Socket: false, destinations[0].Addresses.First, 999), Is.False);
        Assert.That(BytecodeMachine.Matches(code, v6Socket: false, new(false, _v4Base - 1), 1000), Is.False);
    }

    [Test]
    public void Compile_ManyConditionsBelowTheBound_StaysInOneAttribute()
    {
        var destinations = Enumerable.Range(0, 166).Select(i =>
            new Destination(new(new(true, _v6Base + (UInt128)(i * 2)), 1), new(1000 + (i * 2), 1000 + (i * 2)), "")).ToImmutableArray();

        var code = SockDiagFilter.Compile(DestinationSet.Of(destinations), out var exact)!;

        Assert.That(exact, Is.True);
        Assert.That(BytecodeMachine.Audit(code), Is.Null);
        Assert.That(code, Has.Length.LessThan(65_000));
    }
}
