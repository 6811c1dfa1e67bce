using LoadHarness.Agent.Preflight;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Preflight;

/// <summary>Each check says nothing while all is well, and names value and remedy when it is not.</summary>
public class ChecksTests
{
    [Test]
    public void DescriptorTables_Refused_SayWhatItCosts()
    {
        Assert.That(DescriptorTableCheck.Check(0, 20_000), Is.Null);
        var finding = DescriptorTableCheck.Check(38, 20_000)!;
        Assert.That(finding.Message, Does.Contain("errno 38").And.Contain("at most 19800 connections"));
        Assert.That(finding.Severity, Is.EqualTo(Finding.Types.Severity.Warning));
    }

    [Test]
    public void FileMax_TooFewLeft_NamesHowManyAndTheSysctl()
    {
        Assert.That(FileMaxCheck.Check(100_000, 1_000, 99_000), Is.Null);
        Assert.That(FileMaxCheck.Check(null, null, 99_000), Is.Null);
        Assert.That(FileMaxCheck.Check(100_000, 1_001, 99_000)!.Message,
            Does.Contain("takes 98999 more sockets").And.Contain("sysctl -w fs.file-max=199001"));
    }

    [Test]
    public void TimeWait_LowCap_SaysThatTheCountWillLie()
    {
        Assert.That(TimeWaitCheck.Check(1_000_000), Is.Null);
        Assert.That(TimeWaitCheck.Check(null), Is.Null);
        Assert.That(TimeWaitCheck.Check(131_072)!.Message, Does.Contain("131072").And.Contain("is the cap and not the truth"));
    }

    [Test]
    public void Timestamps_Off_SaysWhatItCosts()
    {
        Assert.That(TimestampsCheck.Check(true), Is.Null);
        Assert.That(TimestampsCheck.Check(false)!.Message,
            Does.Contain("EADDRNOTAVAIL").And.Contain("sysctl -w net.ipv4.tcp_timestamps=1"));
    }

    [Test]
    public void Backlog_Short_SaysWhatASteepRampWillSee()
    {
        Assert.That(BacklogCheck.Check(4096), Is.Null);
        Assert.That(BacklogCheck.Check(null), Is.Null);
        Assert.That(BacklogCheck.Check(128)!.Message,
            Does.Contain("net.core.somaxconn is 128").And.Contain("sysctl -w net.core.somaxconn=4096"));
    }

    [Test]
    public void ConnectionTracking_TooSmall_NamesLimitAndRemedy()
    {
        Assert.That(ConnectionTrackingCheck.Check(null, 40_000), Is.Null);
        Assert.That(ConnectionTrackingCheck.Check(40_000, 40_000), Is.Null);
        Assert.That(ConnectionTrackingCheck.Check(39_999, 40_000)!.Message, Does.Contain("39999").And.Contain("NOTRACK"));
    }
}
