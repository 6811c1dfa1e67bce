using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Specs;

public class SpecWorkloadTests
{
    private static readonly RunSpecInput _good = new() { Targets = ["10.0.0.5:443"], Connections = "50k" };

    private static SpecResult Validate(RunSpecInput input) => RunSpecValidator.Validate(input, _ => []);

    [Test]
    public void Validate_Nothing_HoldsAndRests()
    {
        var spec = Validate(_good).Spec!;
        Assert.That((spec.Churn, spec.Rest, spec.Force), Is.EqualTo(((ChurnSpec?)null, TimeSpan.FromSeconds(60), false)));
    }

    [TestCase(null, CloseMethod.Fin)]
    [TestCase("FIN", CloseMethod.Fin)]
    [TestCase("rst", CloseMethod.Rst)]
    public void Validate_Churn_TakesLifetimeAndClose(string? close, CloseMethod method)
    {
        var spec = Validate(_good with { Workload = "Churn", Lifetime = "10s", Close = close, Reuse = "immediate", Force = true }).Spec!;
        Assert.That((spec.Churn, spec.Rest, spec.Force),
            Is.EqualTo((new ChurnSpec(TimeSpan.FromSeconds(10), method), TimeSpan.Zero, true)));
    }

    [TestCase("500/s", "10s", 5_000, 10)]
    [TestCase("500/s", "5s-15s", 5_000, 100)]
    [TestCase("10.4/s", "exp:1s", 10, 10)]
    [TestCase("20/s", "50ms", 1, 0.05)]
    public void Validate_ChurnByRate_HasTheConnectionsThatAreThereAtThatRate(string rate, string lifetime, long connections, double rampSeconds)
    {
        var spec = Validate(_good with { Connections = null, Workload = "churn", Lifetime = lifetime, ConnectRate = rate }).Spec!;
        Assert.That((spec.Connections, spec.Ramp, spec.ConnectRate), Is.EqualTo((connections, TimeSpan.FromSeconds(rampSeconds), (double?)null)));
    }

    [TestCase("churn", "10s", "5/s", true)]
    [TestCase("churn", "10ms", "5/s", false, "--connect-rate 5/s: makes 0.05 connections at a time with a --lifetime of 10ms, and no whole number")]
    [TestCase("churn", "100ms", "14/s", false, "--connect-rate 14/s: makes 1.4 connections at a time with a --lifetime of 100ms, and no whole number of them keeps that rate; allowed: rate times lifetime of 10 to 100,000,000")]
    [TestCase("churn", "exp:20d", "1000000/s", false, "--connect-rate 1000000/s: makes 1,728,000,000,000 connections at a time with a --lifetime of exp:20d: too many")]
    [TestCase("churn", "2d", "1/s", false, "--hold 1m: with 2d to open 172,800 connections is longer than the run may last; allowed: 1d in all (--max-duration). Hold for less time, give a shorter --lifetime")]
    [TestCase("churn", "10s", "x", false, "--connect-rate x: ")]
    [TestCase("churn", "x", "5/s", false, "--lifetime x: ")]
    [TestCase("churn", null, "5/s", false, "--lifetime: is missing", "--connections: is missing")]
    [TestCase("churn=1,hold=1", "10s", "5/s", false, "--connections: is missing")]
    [TestCase("hold", null, "5/s", false, "--connections: is missing")]
    [TestCase("churn", "10s", null, false, "--connections: is missing")]
    public void Validate_NoConnections_OnlyChurnWithARateAndALifetimeMayBeWithout(string workload, string? lifetime, string? rate, bool isFine, params string[] messages)
    {
        var input = _good with { Connections = null, Workload = workload };
        if (lifetime is not null)
            input = input with { Lifetime = lifetime };
        if (rate is not null)
            input = input with { ConnectRate = rate };

        var result = Validate(input);

        Assert.That(result.Spec is not null, Is.EqualTo(isFine));
        Assert.That(result.Errors, Has.Length.EqualTo(messages.Length));
        for (var i = 0; i < messages.Length; i++)
            Assert.That(result.Errors[i].Message, Does.StartWith(messages[i]));
    }

    [TestCase(null, null, "fin", "--close fin")]
    [TestCase("hold", "5s", null, "--lifetime 5s")]
    [TestCase("hold", "5s", "rst", "--lifetime 5s", "--close rst")]
    [TestCase("churn", null, null, "--lifetime: is missing")]
    [TestCase("churn", "0s", "both", "--close both: is unknown; allowed: fin, rst or peer", "--lifetime 0s: is zero")]
    [TestCase("ftp", "5s", null, "--workload ftp: has a kind 'ftp' that is unknown; allowed: hold, churn, http or echo")]
    [TestCase("http", "5s", null, "--lifetime 5s", "--workload http: sends HTTP requests, and no target is http:// or https://")]
    [TestCase("hold=1,hold=2", null, null, "--workload hold=1,hold=2: names hold twice")]
    [TestCase("hold=0,churn=1", null, null, "--workload hold=0,churn=1: has a weight '0'")]
    [TestCase("churn", "5s-2s", "peer", "--lifetime 5s-2s: runs backwards")]
    [TestCase("churn", "exp:25d", null, "--lifetime exp:25d: is too long")]
    public void Validate_WhatDoesNotGoTogether_IsSaidAllAtOnce(string? workload, string? lifetime, string? close, params string[] messages)
    {
        var input = _good with { Workload = workload, Close = close };
        if (lifetime is not null)
            input = input with { Lifetime = lifetime };
        var errors = Validate(input).Errors;
        Assert.That(errors, Has.Length.EqualTo(messages.Length));
        for (var i = 0; i < messages.Length; i++)
            Assert.That(errors[i].Message, Does.StartWith(messages[i]));
    }

    [Test]
    public void Validate_UnknownReuse_Refused() =>
        Assert.That(Validate(_good with { Reuse = "never" }).Errors.Single().Message, Does.StartWith("--reuse never: is unknown"));

    [Test]
    public void Validate_PrefixesToAdd_AreReadAndMayNotOverlap()
    {
        var good = Validate(_good with { ProvisionSources = ["10.0.1.0/24@eth0,10.0.2.0/24@eth0", "2001:db8::/120@eth1"] }).Spec!;
        var bad = Validate(_good with { ProvisionSources = ["10.0.1.0/24@eth0", "10.0.1.128/25@eth1"] }).Errors.Single();
        Assert.That(good.Provision.Select(p => p.Text), Is.EqualTo(new[] { "10.0.1.0/24@eth0", "10.0.2.0/24@eth0", "2001:db8::/120@eth1" }));
        Assert.That(bad.Message, Does.StartWith("--provision-sources 10.0.1.128/25@eth1: overlaps 10.0.1.0/24@eth0"));
    }
}
