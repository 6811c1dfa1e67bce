using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;
using LoadHarness.Protos;
using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Tests.Preflight.Checks;

/// <summary>What bounds how fast and how truly connections come and go: ports, TIME-WAIT, queues, clock. Values by hand.</summary>
public class ConditionChecksTests
{
    [TestCase("32768\t60999", Verdict.Ok)]
    [TestCase("61440\t65535", Verdict.Note)]
    [TestCase("60000 50000", Verdict.Unknown)]
    [TestCase("1", Verdict.Unknown)]
    [TestCase("0 99999999999999999999", Verdict.Unknown)]
    public void PortRange_IsOfOthers(string text, Verdict verdict) =>
        Assert.That(PortRangeCheck.Check(Hosts.With(Sysctl.PortRange, text), Hosts.Million).Verdict, Is.EqualTo(verdict));

    [Test]
    public void ReservedPorts_ListenerInsideTheEphemeralRange_IsToBeReserved()
    {
        var host = Hosts.With(Sysctl.ReservedPorts, "8080,40000") with { ListeningPorts = [new(22, 22), new(40_000, 40_000), new(41_000, 41_002)] };

        Assert.That(ReservedPortsCheck.Check(host, Hosts.Million).Verdict, Is.EqualTo(Verdict.Ok), "no listener of the run is here");
        var check = ReservedPortsCheck.Check(host, Hosts.Million with { Accepts = true });
        Assert.That(check.Verdict, Is.EqualTo(Verdict.Note));
        Assert.That(check.Remedy, Is.EqualTo("sysctl -w net.ipv4.ip_local_reserved_ports=8080,40000,41000-41002"));
    }

    [TestCase("1024-40000", Verdict.Note)]
    [TestCase("1024-20000", Verdict.Ok)]
    [TestCase("garbage", Verdict.Unknown)]
    public void ReservedPorts_ThatLeaveFew_AreSaid(string text, Verdict verdict) =>
        Assert.That(ReservedPortsCheck.Check(Hosts.With(Sysctl.ReservedPorts, text), null).Verdict, Is.EqualTo(verdict));

    [Test]
    public void Timestamps_Off_IsAnErrorOnlyWhereTheTuplesDoNotLastForAMinute()
    {
        var host = Hosts.With(Sysctl.Timestamps, "0");

        Assert.That(TimestampsCheck.Check(Hosts.Usual, Hosts.Million).Verdict, Is.EqualTo(Verdict.Ok));
        Assert.That(TimestampsCheck.Check(host, null).Verdict, Is.EqualTo(Verdict.Warning));
        Assert.That(TimestampsCheck.Check(host, Hosts.Million).Verdict, Is.EqualTo(Verdict.Note), "a hold closes nothing");
        Assert.That(TimestampsCheck.Check(host, new() { ClosesPerSecond = 100, Tuples = 6_000 }).Verdict, Is.EqualTo(Verdict.Warning));
        var check = TimestampsCheck.Check(host, new() { ClosesPerSecond = 101, Tuples = 6_000 });
        Assert.That(check.Verdict, Is.EqualTo(Verdict.Error));
        Assert.That(check.Needed, Does.Contain("6,000 tuples allow 100/s closes, 101/s are wanted"));
    }

    [TestCase(131_072, 0, Verdict.Ok)]
    [TestCase(131_073, 0, Verdict.Warning)]
    [TestCase(0, 2_184.5, Verdict.Ok)]
    [TestCase(0, 2_185, Verdict.Warning)]
    public void TimeWaitBuckets_HoldAMinuteOfClosesAndADrain(long connections, double closes, Verdict verdict)
    {
        var check = TimeWaitBucketsCheck.Check(Hosts.Usual, new() { Connections = connections, ClosesPerSecond = closes });

        Assert.That(check.Verdict, Is.EqualTo(verdict));
    }

    [Test]
    public void TimeWaitBuckets_WithoutANeed_AreANote()
    {
        var check = TimeWaitBucketsCheck.Check(Hosts.Usual, null);

        Assert.That(check.Verdict, Is.EqualTo(Verdict.Note));
        Assert.That(check.Needed, Does.Contain("its count is the cap"));
        Assert.That(check.Remedy, Is.EqualTo("sysctl -w net.ipv4.tcp_max_tw_buckets=1110000"));
    }

    [Test]
    public void TimeWaits_OfALargeDrain_AreThoseOfOneMinute() =>
        Assert.That(new HostNeed { Connections = 100_000_000 }.TimeWaits, Is.EqualTo(2_400_000));

    [Test]
    public void TimeWaitReuse_IsNothingToAgents([Values("0", "1", "2", "7")] string value) =>
        Assert.That(TimeWaitReuseCheck.Check(Hosts.With(Sysctl.TimeWaitReuse, value), Hosts.Million).Verdict, Is.EqualTo(Verdict.Ok));

    [TestCase("30", Verdict.Ok)]
    [TestCase("60", Verdict.Ok)]
    [TestCase("61", Verdict.Note)]
    public void FinTimeout_LongerThanUsual_IsSaid(string value, Verdict verdict) =>
        Assert.That(FinTimeoutCheck.Check(Hosts.With(Sysctl.FinTimeout, value), Hosts.Million).Verdict, Is.EqualTo(verdict));

    [TestCase("4095", 20_000, Verdict.Warning)]
    [TestCase("4096", 40_960, Verdict.Ok)]
    [TestCase("4096", 40_970, Verdict.Warning)]
    public void AcceptQueue_HoldsATenthOfASecond(string value, double rate, Verdict verdict)
    {
        var host = Hosts.With(Sysctl.MaxConnections, value);

        Assert.That(AcceptQueueCheck.Check(host, new() { Accepts = true, ConnectsPerSecond = rate }).Verdict, Is.EqualTo(verdict));
        Assert.That(AcceptQueueCheck.Check(host, new() { ConnectsPerSecond = rate }).Verdict, Is.EqualTo(Verdict.Ok), "the target is elsewhere");
    }

    [Test]
    public void SynBacklog_MattersWithoutCookies()
    {
        var need = new HostNeed { Accepts = true, ConnectsPerSecond = 30_000 };

        Assert.That(SynBacklogCheck.Check(Hosts.Usual, need).Verdict, Is.EqualTo(Verdict.Ok));
        Assert.That(SynBacklogCheck.Check(Hosts.With(Sysctl.SynCookies, "0"), need).Verdict, Is.EqualTo(Verdict.Warning));
        Assert.That(SynBacklogCheck.Check(Hosts.With(Sysctl.SynCookies, "0"), need with { Accepts = false }).Verdict, Is.EqualTo(Verdict.Ok));
    }

    [TestCase("0", Verdict.Note)]
    [TestCase("1", Verdict.Ok)]
    [TestCase("2", Verdict.Note)]
    public void SynCookies_MatterToAListener(string value, Verdict verdict)
    {
        Assert.That(SynCookiesCheck.Check(Hosts.With(Sysctl.SynCookies, value), new() { Accepts = true }).Verdict, Is.EqualTo(verdict));
        Assert.That(SynCookiesCheck.Check(Hosts.With(Sysctl.SynCookies, value), Hosts.Million).Verdict, Is.EqualTo(Verdict.Ok));
    }

    [Test]
    public void DeviceBacklog_CountsWhereBothEndsAreHere()
    {
        Assert.That(DeviceBacklogCheck.Check(Hosts.Usual, Hosts.Million with { ConnectsPerSecond = 50_000 }).Verdict, Is.EqualTo(Verdict.Ok));
        Assert.That(DeviceBacklogCheck.Check(Hosts.Usual, Hosts.BothEnds with { ConnectsPerSecond = 50_000 }).Verdict, Is.EqualTo(Verdict.Warning));
    }

    [TestCase(80_000, true, Verdict.Ok)]
    [TestCase(80_001, true, Verdict.Warning)]
    [TestCase(160_000, false, Verdict.Ok)]
    [TestCase(160_001, false, Verdict.Warning)]
    public void Cores_CarryTheRate(double rate, bool bothEnds, Verdict verdict) =>
        Assert.That(CoresCheck.Check(Hosts.Usual, new() { ConnectsPerSecond = rate, BothEnds = bothEnds }).Verdict, Is.EqualTo(verdict));

    [TestCase("tsc", Verdict.Ok)]
    [TestCase("kvm-clock", Verdict.Ok)]
    [TestCase("arch_sys_counter", Verdict.Ok)]
    [TestCase("hpet", Verdict.Warning)]
    [TestCase("acpi_pm", Verdict.Warning)]
    [TestCase("", Verdict.Unknown)]
    public void Clock_IsReadWithoutASystemCall(string source, Verdict verdict) =>
        Assert.That(ClockCheck.Check(Hosts.Usual with { ClockSource = source }, Hosts.Million).Verdict, Is.EqualTo(verdict));

    [Test]
    public void Clock_NotSynchronised_IsOnlySaid()
    {
        var check = ClockCheck.Check(Hosts.Usual with { ClockSynchronised = false }, Hosts.Million);

        Assert.That((check.Verdict, check.Value), Is.EqualTo((Verdict.Ok, "tsc, not synchronised (times of this host in logs are its own)")));
    }

    [Test]
    public void Kernel_SaysWhatTheEngineCanUse()
    {
        Assert.That(KernelCheck.Check(Hosts.Usual, null).Value, Is.EqualTo("6.18.44-generic: descriptor table per reactor, sock_diag, IP_LOCAL_PORT_RANGE"));
        Assert.That(KernelCheck.Check(Hosts.Usual with { KernelRelease = "5.15.0" }, null).Value, Does.Not.Contain("IP_LOCAL_PORT_RANGE"));
        var check = KernelCheck.Check(Hosts.Usual with { SocketDiagErrno = 2, UnshareErrno = 38 }, null);
        Assert.That(check.Verdict, Is.EqualTo(Verdict.Warning));
        Assert.That(check.Value, Does.Contain("no sock_diag (errno 2)").And.Contain("no descriptor table per reactor (errno 38)"));
    }
}
