using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Aggregation;

namespace LoadHarness.Coordinator.Tests.Runs;

public sealed class RunMeasurementsTests
{
    private RunMeasurements _measurements = null!;

    [SetUp]
    public void TwoSeconds()
    {
        _measurements = new RunMeasurements(new RunSpec { Targets = [], Connections = 10 });
        _measurements.Add(Samples.Of("a0", 1, 0, 1, 10));
        _measurements.Add(Samples.Of("a0", 2, 1, 2, 10));
    }

    [Test]
    public void Finish_HeardOfInTheNextSecond_LeavesNoGap()
    {
        _measurements.Add(Samples.Of("a0", 3, 2, 2.9));

        _measurements.Finish("a0", TimeSpan.FromSeconds(3.1));

        Assert.That(GapsAfter(3.1), Is.Empty);
    }

    [Test]
    public void Finish_WithoutALastSample_LeavesTheGap()
    {
        _measurements.Finish("a0", TimeSpan.FromSeconds(3.1));

        Assert.That(GapsAfter(3.1), Is.Not.Empty);
    }

    private object[] GapsAfter(double seconds) => _measurements.Read(timeline =>
    {
        timeline.Close(TimeSpan.FromSeconds(seconds));
        return timeline.Gaps().Cast<object>().ToArray();
    });
}
