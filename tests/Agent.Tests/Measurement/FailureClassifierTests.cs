using LoadHarness.Agent.Measurement;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Measurement;

public sealed class FailureClassifierTests
{
    // Numbers of asm-generic/errno.h, written out: the product's own constants are not held against themselves.
    [TestCase(98, FailureCause.PortInUse)]
    [TestCase(99, FailureCause.AddressGone)]
    [TestCase(13, FailureCause.Firewall)]
    [TestCase(24, FailureCause.Descriptors)]
    [TestCase(12, FailureCause.Memory)]
    public void OfBind_Errno_NamesTheCause(int errno, FailureCause cause) => Assert.That(FailureClassifier.OfBind(errno), Is.EqualTo(cause));

    [TestCase(99, FailureCause.TupleInUse)]
    [TestCase(98, FailureCause.TupleInUse)]
    [TestCase(111, FailureCause.Refused)]
    [TestCase(110, FailureCause.Timeout)]
    [TestCase(113, FailureCause.Unreachable)]
    [TestCase(101, FailureCause.Unreachable)]
    [TestCase(100, FailureCause.Unreachable)]
    [TestCase(112, FailureCause.Unreachable)]
    [TestCase(104, FailureCause.Reset)]
    [TestCase(1, FailureCause.Firewall)]
    [TestCase(105, FailureCause.Memory)]
    [TestCase(28, FailureCause.Memory)]
    [TestCase(23, FailureCause.Descriptors)]
    [TestCase(71, FailureCause.ProtocolError)]
    [TestCase(9, FailureCause.Other)]
    public void OfConnect_Errno_NamesTheCause(int errno, FailureCause cause) => Assert.That(FailureClassifier.OfConnect(errno), Is.EqualTo(cause));

    [TestCase(32, FailureCause.Reset)]
    [TestCase(104, FailureCause.Reset)]
    [TestCase(110, FailureCause.Timeout)]
    public void OfErrno_EndOfAHeldConnection_NamesTheCause(int errno, FailureCause cause) =>
        Assert.That(FailureClassifier.OfErrno(errno), Is.EqualTo(cause));

    [Test]
    public void PartyOf_EveryCause_HasOne() =>
        Assert.That(
            Enum.GetValues<FailureCause>().Where(c => c != FailureCause.Unspecified).Select(FailureClassifier.PartyOf),
            Has.None.EqualTo(FailureParty.Unspecified));

    [TestCase(FailureCause.Refused, FailureParty.Target)]
    [TestCase(FailureCause.Reset, FailureParty.Target)]
    [TestCase(FailureCause.Closed, FailureParty.Target)]
    [TestCase(FailureCause.Timeout, FailureParty.Network)]
    [TestCase(FailureCause.Unreachable, FailureParty.Network)]
    [TestCase(FailureCause.PortInUse, FailureParty.Us)]
    [TestCase(FailureCause.Descriptors, FailureParty.Us)]
    [TestCase(FailureCause.Firewall, FailureParty.Us)]
    public void PartyOf_Cause_IsTheOneThatTheContractNames(FailureCause cause, FailureParty party) =>
        Assert.That(FailureClassifier.PartyOf(cause), Is.EqualTo(party));
}
