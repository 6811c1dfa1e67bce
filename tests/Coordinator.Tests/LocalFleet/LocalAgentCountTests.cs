using LoadHarness.Coordinator.LocalFleet;

namespace LoadHarness.Coordinator.Tests.LocalFleet;

public class LocalAgentCountTests
{
    [TestCase(1, 8, 1)]
    [TestCase(1000, 8, 1)]
    [TestCase(1001, 8, 2)]
    [TestCase(1001, 1, 1)]
    [TestCase(50_000, 2, 2)]
    [TestCase(2_000_000, 2, 2)]
    [TestCase(2_000_000, 16, 4)]
    public void For_PrivateTables_FollowsGoalAndCores(long goal, int cores, int expected) =>
        Assert.That(LocalAgentCount.For(goal, cores, 20_000, privateDescriptorTables: true), Is.EqualTo(expected));

    [TestCase(19_800, 1, 1)]
    [TestCase(19_801, 1, 2)]
    [TestCase(50_000, 2, 3)]
    [TestCase(long.MaxValue / 2, 2, 10_000)]
    public void For_SharedTable_FollowsDescriptors(long goal, int cores, int expected) =>
        Assert.That(LocalAgentCount.For(goal, cores, 20_000, privateDescriptorTables: false), Is.EqualTo(expected));

    [TestCase("Max open files            1024                 20000                files", 20_000)]
    [TestCase("Max open files            1024                 unlimited            files", long.MaxValue)]
    [TestCase("Max processes             1                    2                    processes", 1024)]
    [TestCase("Max open files            what", 1024)]
    public void HardDescriptorLimit_Line_IsRead(string line, long expected) =>
        Assert.That(HostLimits.HardDescriptorLimit(["Limit  Soft  Hard  Units", line]), Is.EqualTo(expected));

    [Test]
    public void Read_ThisMachine_IsPlausible()
    {
        var limits = HostLimits.Read();
        Assert.That(limits.Cores, Is.Positive);
        Assert.That(limits.Descriptors, Is.GreaterThan(3));
    }
}
