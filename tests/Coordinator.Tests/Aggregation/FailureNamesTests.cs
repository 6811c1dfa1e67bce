using LoadHarness.Coordinator.Aggregation;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Aggregation;

public class FailureNamesTests
{
    [TestCase(FailureStage.Connect, FailureParty.Target, FailureCause.Refused, "connect/target/refused")]
    [TestCase(FailureStage.SourceBind, FailureParty.Us, FailureCause.PortInUse, "source-bind/us/port-in-use")]
    [TestCase(FailureStage.TlsHandshake, FailureParty.Network, FailureCause.Timeout, "tls-handshake/network/timeout")]
    [TestCase(FailureStage.Hold, FailureParty.Us, FailureCause.EndpointSpaceExhausted, "hold/us/endpoint-space-exhausted")]
    [TestCase((FailureStage)99, FailureParty.Us, FailureCause.Other, "99/us/other")]
    public void Of_Any_IsStable(FailureStage stage, FailureParty party, FailureCause cause, string name) =>
        Assert.That(FailureNames.Of(stage, party, cause), Is.EqualTo(name));
}
