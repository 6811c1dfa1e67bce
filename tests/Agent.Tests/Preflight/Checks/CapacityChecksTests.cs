using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;
using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Tests.Preflight.Checks;

/// <summary>What bounds how many connections a host can have: descriptors, files, memory, tracking. Values by hand.</summary>
public class CapacityChecksTests
{
    [Test]
    public void DescriptorLimit_TableForEachReactor_SaysHowManyReactorsAndNothingToRaise()
    {
        var check = DescriptorLimitCheck.Check(Hosts.Usual, Hosts.Million);

        Assert.That(check.Verdict, Is.EqualTo(Verdict.Ok));
        Assert.That(check.Value, Is.EqualTo("20,000 for each reactor: 1,000,000 connections take 51"));
        Assert.That(check.Needed, Does.StartWith("it need not be raised"));
    }

    [TestCase(1224, 262_144, Verdict.Ok)]
    [TestCase(1224, 262_145, Verdict.Error)]
    public void DescriptorLimit_MoreReactorsThanAnAgentStarts_IsAnErrorWithTheLimitThatDoes(int limit, long connections, Verdict verdict)
    {
        var check = DescriptorLimitCheck.Check(Hosts.Usual with { DescriptorLimit = limit }, new HostNeed { Connections = connections });

        Assert.That(check.Verdict, Is.EqualTo(verdict));
        Assert.That(check.Remedy, verdict == Verdict.Ok ? Is.Empty : Does.StartWith("ulimit -n 1225,"));
    }

    [Test]
    public void DescriptorLimit_OneTableForTheAgent_BindsAll()
    {
        var host = Hosts.Usual with { UnshareErrno = 38 };

        Assert.That(DescriptorLimitCheck.Check(host, null).Verdict, Is.EqualTo(Verdict.Warning), "without a need nothing is an error");
        Assert.That(DescriptorLimitCheck.Check(host, new() { Connections = 19_800 }).Verdict, Is.EqualTo(Verdict.Warning));
        var check = DescriptorLimitCheck.Check(host, new() { Connections = 19_801 });
        Assert.That(check.Verdict, Is.EqualTo(Verdict.Error));
        Assert.That(check.Needed, Does.Contain("errno 38"));
        Assert.That(check.Remedy, Does.StartWith("ulimit -n 20001"));
    }

    [Test]
    public void NrOpen_MattersOnlyForOneTable()
    {
        Assert.That(NrOpenCheck.Check(Hosts.Usual, new() { Connections = 2_000_000 }).Verdict, Is.EqualTo(Verdict.Ok));
        var check = NrOpenCheck.Check(Hosts.Usual with { UnshareErrno = 1 }, new() { Connections = 2_000_000 });
        Assert.That(check.Verdict, Is.EqualTo(Verdict.Error));
        Assert.That(check.Sysctls["fs.nr_open"], Is.EqualTo("2210000"));
    }

    [TestCase(2_465_005, false, Verdict.Ok)]
    [TestCase(2_465_006, false, Verdict.Error)]
    [TestCase(1_232_502, true, Verdict.Ok)]
    [TestCase(1_232_503, true, Verdict.Error)]
    public void FileMax_CountsWhatIsOpenAndBothEnds(long connections, bool bothEnds, Verdict verdict)
    {
        var check = FileMaxCheck.Check(Hosts.Usual, new() { Connections = connections, BothEnds = bothEnds });

        Assert.That(check.Verdict, Is.EqualTo(verdict));
        Assert.That(check.Remedy, verdict == Verdict.Ok ? Is.Empty : Is.EqualTo("sysctl -w fs.file-max=2720000"));
    }

    [Test]
    public void FileMax_AsTheKernelSetsItNow_IsNoLimit()
    {
        var check = FileMaxCheck.Check(Hosts.With(Sysctl.FileMax, "9223372036854775807"), Hosts.BothEnds);

        Assert.That((check.Verdict, check.Value), Is.EqualTo((Verdict.Ok, "no limit, 1,172 open: room for no limit")));
    }

    [Test]
    public void Memory_IsMemFree_AndMemAvailableOnlyTellsWarningFromError()
    {
        // 5,100 bytes an end: 2,000,000 ends take 10.2 GB.
        Assert.That(MemoryCheck.Check(Hosts.Usual with { MemoryFree = 10_200_000_000 }, Hosts.BothEnds).Verdict, Is.EqualTo(Verdict.Ok));
        Assert.That(MemoryCheck.Check(Hosts.Usual with { MemoryFree = 10_199_999_999 }, Hosts.BothEnds).Verdict, Is.EqualTo(Verdict.Warning));
        var check = MemoryCheck.Check(Hosts.Usual with { MemoryFree = 5_100_000_000, MemoryAvailable = 6_000_000_000 }, Hosts.BothEnds);
        Assert.That(check.Verdict, Is.EqualTo(Verdict.Error));
        Assert.That(check.Remedy, Does.Contain("at most 500,000"));
        Assert.That(check.Needed, Does.Contain("10.2 GB"));
    }

    [Test]
    public void Memory_OfAControlGroup_Binds()
    {
        var check = MemoryCheck.Check(Hosts.Usual with { GroupMemoryLeft = 1_000_000_000 }, Hosts.Million);

        Assert.That(check.Verdict, Is.EqualTo(Verdict.Error));
        Assert.That(check.Value, Does.Contain("control group leaves 1.0 GB"));
    }

    [Test]
    public void TcpMemory_OnePageForEachSocket_RaisedInProportion()
    {
        Assert.That(TcpMemoryCheck.Check(Hosts.Usual, new() { Connections = 575_641 }).Verdict, Is.EqualTo(Verdict.Ok));
        var check = TcpMemoryCheck.Check(Hosts.Usual, new() { Connections = 575_642 });
        Assert.That(check.Verdict, Is.EqualTo(Verdict.Warning));
        Assert.That(check.Sysctls["net.ipv4.tcp_mem"], Is.EqualTo("320000 426666 640000"));
        Assert.That(check.Remedy, Is.EqualTo("sysctl -w net.ipv4.tcp_mem=\"320000 426666 640000\""));
    }

    [Test]
    public void TcpMemory_NeverPastHalfOfTheHost_NorBelowWhatIsSet()
    {
        var small = Hosts.Usual with { MemoryTotal = 4_000_000_000 };

        var check = TcpMemoryCheck.Check(small, Hosts.BothEnds);

        Assert.That((check.Verdict, check.Sysctls.Count), Is.EqualTo((Verdict.Warning, 0)));
        Assert.That(check.Remedy, Does.StartWith("none on this host"));
    }

    [Test]
    public void Orphans_AsManyAsConnections()
    {
        Assert.That(OrphansCheck.Check(Hosts.Usual, new() { Connections = 131_072 }).Verdict, Is.EqualTo(Verdict.Ok));
        var check = OrphansCheck.Check(Hosts.Usual, Hosts.Million);
        Assert.That((check.Verdict, check.Sysctls["net.ipv4.tcp_max_orphans"]), Is.EqualTo((Verdict.Warning, "1110000")));
    }

    [Test]
    public void Conntrack_NotActive_NeedsNothing()
    {
        Assert.That(ConntrackCheck.Check(Hosts.Usual, Hosts.Million).Verdict, Is.EqualTo(Verdict.Ok));
        Assert.That(ConntrackCheck.Check(Hosts.Usual with { Tracking = null }, Hosts.Million).Value, Is.EqualTo("not loaded"));
    }

    [TestCase(262_044, 0, Verdict.Ok)]
    [TestCase(262_045, 0, Verdict.Error)]
    [TestCase(142_044, 1000, Verdict.Ok)]
    [TestCase(142_045, 1000, Verdict.Error)]
    public void Conntrack_Active_HoldsConnectionsAndTwoMinutesOfClosedOnes(long connections, double closes, Verdict verdict)
    {
        var host = Hosts.With(Sysctl.TrackedCount, "100") with { Tracking = true };

        var check = ConntrackCheck.Check(host, new() { Connections = connections, ClosesPerSecond = closes });

        Assert.That((check.Name, check.Verdict), Is.EqualTo(("conntrack", verdict)));
        Assert.That(check.Remedy, verdict == Verdict.Ok ? Is.Empty : Does.StartWith("sysctl -w net.netfilter.nf_conntrack_max=").And.Contain("NOTRACK"));
    }

    [Test]
    public void Conntrack_FewBuckets_AreSlow()
    {
        var host = Hosts.With(Sysctl.TrackedMost, "9000000", Hosts.With(Sysctl.TrackedBuckets, "1024")) with { Tracking = true };

        Assert.That(ConntrackCheck.Check(host, Hosts.Million).Verdict, Is.EqualTo(Verdict.Note));
    }
}
