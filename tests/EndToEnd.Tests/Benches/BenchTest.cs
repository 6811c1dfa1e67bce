using NUnit.Framework.Interfaces;

namespace LoadHarness.EndToEnd.Tests.Benches;

/// <summary>A test with a bench of its own; when it fails, everything that its programs wrote is shown.</summary>
public abstract class BenchTest
{
    /// <summary>Made before the test, taken away after it.</summary>
    protected Bench Bench { get; private set; } = null!;

    [SetUp]
    public void MakeBench() => Bench = Bench.Create();

    [TearDown]
    public async Task RemoveBench()
    {
        if (TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed)
            await TestContext.Out.WriteLineAsync(Bench.Describe());
        await Bench.DisposeAsync();
    }
}
