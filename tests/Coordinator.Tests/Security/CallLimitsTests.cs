using System.Net;
using Grpc.Core;
using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.Tests.Security;

public sealed class CallLimitsTests
{
    private static readonly UserCaller _alice = new("alice", TokenRole.Viewer);
    private static readonly UserCaller _bob = new("bob", TokenRole.Viewer);

    // So slow that nothing comes back while a test runs.
    private static readonly RateLimits _slow = new()
    {
        CallBurst = 3,
        CallsPerSecond = 1,
        Streams = 2,
        FailureBurst = 3,
        FailurePause = TimeSpan.FromHours(1),
    };

    [Test]
    public void CountCall_BeyondTheBurst_IsRefusedForThisCallerOnly()
    {
        using var limits = new CallLimits(_slow with { CallBurst = 1000 });

        var refused = Enumerable.Range(0, 1500).Select(_ => StatusOf(() => limits.CountCall(_alice))).FirstOrDefault(s => s is not null);

        Assert.That(refused?.StatusCode, Is.EqualTo(StatusCode.ResourceExhausted));
        Assert.That(refused?.Detail, Does.Contain("user:alice").And.Contain("1 per second").And.Contain("try again"));
        Assert.That(() => limits.CountCall(_bob), Throws.Nothing);
    }

    [Test]
    public async Task CountCall_AfterAPause_IsLetThroughAgain()
    {
        using var limits = new CallLimits(_slow with { CallBurst = 1, CallsPerSecond = 1000 });
        while (StatusOf(() => limits.CountCall(_alice)) is null)
        {
            // Uses up what there is.
        }

        var until = Environment.TickCount64 + 60_000;
        while (StatusOf(() => limits.CountCall(_alice)) is not null && Environment.TickCount64 < until)
            await Task.Delay(20);

        Assert.That(Environment.TickCount64, Is.LessThan(until));
    }

    [Test]
    public void CountStream_BeyondTheMost_IsRefusedUntilOneEnds()
    {
        using var limits = new CallLimits(_slow);
        var first = limits.CountStream(_alice);
        using var second = limits.CountStream(_alice);

        Assert.That(StatusOf(() => limits.CountStream(_alice))?.Detail, Does.Contain("2 streams open"));
        Assert.That(() => limits.CountStream(_bob).Dispose(), Throws.Nothing);
        first.Dispose();
        Assert.That(() => limits.CountStream(_alice).Dispose(), Throws.Nothing);
    }

    [Test]
    public async Task CheckFailures_TooManyFromOneAddress_RefusesThatAddressOnly()
    {
        using var limits = new CallLimits(_slow);
        var guesser = IPAddress.Parse("10.0.0.5");
        for (var i = 0; i < 3; i++)
        {
            Assert.That(() => limits.CheckFailures(guesser), Throws.Nothing);
            limits.CountFailure(guesser);
        }

        // The limiter gives back a fraction of a permit every 100 ms, which is none yet.
        await Task.Delay(400);
        Assert.That(StatusOf(() => limits.CheckFailures(guesser))?.Detail, Does.Contain("too many wrong credentials from 10.0.0.5"));
        Assert.That(StatusOf(() => limits.CheckFailures(guesser.MapToIPv6()))?.StatusCode, Is.EqualTo(StatusCode.ResourceExhausted),
            "the same address in its other form");
        Assert.That(() => limits.CheckFailures(IPAddress.Parse("10.0.0.6")), Throws.Nothing);
        Assert.That(() => limits.CheckFailures(null), Throws.Nothing);
    }

    [Test]
    public async Task CheckFailures_AfterAPause_LooksAgain()
    {
        using var limits = new CallLimits(_slow with { FailurePause = TimeSpan.FromMilliseconds(150) });
        var peer = IPAddress.Parse("10.0.0.5");
        while (StatusOf(() => limits.CheckFailures(peer)) is null)
            limits.CountFailure(peer);

        var until = Environment.TickCount64 + 60_000;
        while (StatusOf(() => limits.CheckFailures(peer)) is not null && Environment.TickCount64 < until)
            await Task.Delay(20);

        Assert.That(Environment.TickCount64, Is.LessThan(until));
    }

    [Test]
    public void CheckFailures_OneHostWithManyIpv6Addresses_CountsAsOne()
    {
        using var limits = new CallLimits(_slow);
        for (var i = 1; i <= 3; i++)
            limits.CountFailure(IPAddress.Parse($"2001:db8:0:7::{i}"));

        Assert.That(StatusOf(() => limits.CheckFailures(IPAddress.Parse("2001:db8:0:7:ffff::1"))), Is.Not.Null);
        Assert.That(StatusOf(() => limits.CheckFailures(IPAddress.Parse("2001:db8:0:8::1"))), Is.Null);
    }

    private static Status? StatusOf(Action call)
    {
        try
        {
            call();
            return null;
        }
        catch (RpcException e)
        {
            return e.Status;
        }
    }
}
