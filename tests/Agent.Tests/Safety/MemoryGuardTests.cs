using LoadHarness.Agent.Safety;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Safety;

public sealed class MemoryGuardTests
{
    private const long Mega = 1 << 20;

    [TestCase(1000, 300, ExpectedResult = GrowthStop.None)]
    [TestCase(1000, 255, ExpectedResult = GrowthStop.Memory, TestName = "Take_BelowTheLeastReserve_Stops")]
    [TestCase(100_000, 1999, ExpectedResult = GrowthStop.Memory, TestName = "Take_BelowAFiftiethOfALargeHost_Stops")]
    [TestCase(100_000, 2001, ExpectedResult = GrowthStop.None)]
    public GrowthStop Take_FreeMemory(long totalMega, long freeMega) => After(new MemoryReading(freeMega * Mega, totalMega * Mega, 0, 0)).GrowthStop;

    [TestCase(84, ExpectedResult = "None False")]
    [TestCase(85, ExpectedResult = "None True")]
    [TestCase(90, ExpectedResult = "TcpMemory True")]
    public string Take_TcpMemory(long pages)
    {
        var guard = After(Tcp(pages));
        return $"{guard.GrowthStop} {guard.StopsFins}";
    }

    [Test]
    public void Take_LittleMoreThanAtTheStop_GoesOnOnlyWithClearlyMore()
    {
        var guard = After(Free(255));

        guard.Take(Free(300));
        var still = guard.GrowthStop;
        guard.Take(Free(400));

        Assert.That((still, guard.GrowthStop), Is.EqualTo((GrowthStop.Memory, GrowthStop.None)));
    }

    [Test]
    public void Take_TcpMemoryFalls_SendsFinsAgainOnlyBelowThreeQuarters()
    {
        var guard = After(Tcp(91));

        guard.Take(Tcp(80));
        var still = (guard.GrowthStop, guard.StopsFins);
        guard.Take(Tcp(74));

        Assert.That((still, guard.GrowthStop, guard.StopsFins), Is.EqualTo(((GrowthStop.TcpMemory, true), GrowthStop.None, false)));
    }

    [Test]
    public void Take_UnknownTcpMark_StopsNothing() => Assert.That(After(new MemoryReading(Mega << 10, Mega << 10, 1_000_000, 0)).StopsFins, Is.False);

    private static MemoryGuard After(MemoryReading reading)
    {
        var guard = new MemoryGuard();
        guard.Take(reading);
        return guard;
    }

    private static MemoryReading Free(long mega) => new(mega * Mega, 1000 * Mega, 0, 0);

    private static MemoryReading Tcp(long pages) => new(Mega << 10, Mega << 10, pages, 100);
}
