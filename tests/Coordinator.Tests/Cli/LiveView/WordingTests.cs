using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Cli.LiveView;

public class WordingTests
{
    [Test]
    public void FailureLines_Kinds_AreSummedAndTheMostFrequentComesFirst()
    {
        FailureView[] failures =
        [
            new(FailureStage.Connect, FailureParty.Network, FailureCause.Timeout, 0, 3),
            new(FailureStage.Connect, FailureParty.Network, FailureCause.Timeout, 110, 4),
            new(FailureStage.Connect, FailureParty.Target, FailureCause.Refused, 111, 1_000),
            new(FailureStage.Connect, FailureParty.Us, FailureCause.Other, 71, 1),
        ];
        Assert.That(Wording.FailureLines(failures), Is.EqualTo(new[]
        {
            "1,000 x the target refused the connection", "7 x no answer within the connect timeout", "1 x connect/us/other (errno 71)",
        }));
    }

    [Test]
    public void TcpStateName_EveryState_IsTheRfcName() =>
        Assert.That(Enum.GetValues<TcpState>().Except([TcpState.Unspecified]).Select(Wording.TcpStateName), Has.None.EqualTo("UNKNOWN"));

    [TestCase(0, "0:00")]
    [TestCase(67.9, "1:07")]
    [TestCase(3605, "1:00:05")]
    [TestCase(360_000, "100:00:00")]
    public void Clock_Seconds_AreReadable(double seconds, string expected) =>
        Assert.That(Wording.Clock(TimeSpan.FromSeconds(seconds)), Is.EqualTo(expected));

    [TestCase(0, "0/s")]
    [TestCase(0.25, "0.3/s")]
    [TestCase(4166.7, "4,167/s")]
    public void Rate_PerSecond_IsShort(double rate, string expected) => Assert.That(Wording.Rate(rate), Is.EqualTo(expected));
}
