using NUnit.Framework.Interfaces;

namespace LoadHarness.EndToEnd.Tests.Benches;

/// <summary>A test with a fleet of its own; when it fails, everything that its programs wrote is shown.</summary>
public abstract class FleetTest
{
    /// <summary>Made before the test, taken away after it. The coordinator is not started yet.</summary>
    protected FleetBench Fleet { get; private set; } = null!;

    [SetUp]
    public async Task MakeFleet() => Fleet = await FleetBench.CreateAsync();

    [TearDown]
    public async Task RemoveFleet()
    {
        if (TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed)
            await TestContext.Out.WriteLineAsync(Fleet.Describe());
        await Fleet.DisposeAsync();
    }
}
