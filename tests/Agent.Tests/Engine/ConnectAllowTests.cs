using System.Net;
using LoadHarness.Agent.Safety;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Engine;

/// <summary>A role whose destinations somebody has tampered with: the last look before connect() is what stops it.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ConnectAllowTests
{
    [TestCase("127.0.0.0/8", true)]
    [TestCase("10.0.0.0/8", false)]
    [TestCase("127.0.0.0/8:1", false)]
    [TestCase("::/0", false)]
    public void Pace_ATarget_IsConnectedToOnlyWhenTheListAllowsIt(string allow, bool allowed)
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());

        Connect(target, IpAddress.From(target.EndPoint.Address), IpAddress.From(LoopbackAddress.Next()), allow, allowed);
    }

    /// <summary>The kernel takes an IPv4-mapped address for the IPv4 address that it is.</summary>
    [TestCase("127.0.0.0/8", true)]
    [TestCase("10.0.0.0/8", false)]
    [TestCase("::/0", false)]
    public void Pace_AMappedForm_IsJudgedByWhatItReaches(string allow, bool allowed)
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());

        Connect(target, Mapped(target.EndPoint.Address), Mapped(LoopbackAddress.Next()), allow, allowed);
    }

    [Test]
    public void Pace_ATranslatedForm_IsJudgedByWhatItReaches()
    {
        using var target = WatchfulTarget.Start(IPAddress.IPv6Loopback);
        var nat64 = IpAddress.From(IPAddress.Parse("64:ff9b::127.0.0.1"));

        Connect(target, nat64, IpAddress.From(IPAddress.IPv6Loopback), "127.0.0.0/8", allowed: false);
    }

    private static void Connect(WatchfulTarget target, IpAddress address, IpAddress source, string allow, bool allowed)
    {
        Assert.That(AllowList.TryParse([allow], out var list, out _), Is.True);
        using var fixture = ReactorFixture.Connecting(new PlainTransport(), (address, target.EndPoint.Port), list!, source, 20);

        if (allowed)
        {
            fixture.WaitFor(c => c.Established == 20, "20 ESTABLISHED");
            return;
        }

        fixture.WaitFor(c => c.Failed >= 100, "100 failures");
        Assert.That((target.Accepted, fixture.Ask().Connecting), Is.EqualTo((0, 0L)));
        Assert.That(fixture.Failures.Count, Is.EqualTo(1));
        Assert.That((fixture.Failures[0].Stage, fixture.Failures[0].Cause), Is.EqualTo((FailureStage.Connect, FailureCause.NotAllowed)));
    }

    private static IpAddress Mapped(IPAddress address) => IpAddress.FromBytes(address.MapToIPv6().GetAddressBytes());
}
