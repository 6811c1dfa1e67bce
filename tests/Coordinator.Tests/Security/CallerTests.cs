using LoadHarness.Coordinator.Security;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Security;

public sealed class CallerTests
{
    private static IEnumerable<TestCaseData> Callers() =>
    [
        new TestCaseData(new LocalCaller(), new[] { Access.Viewer, Access.Operator, Access.Agent }),
        new TestCaseData(new UserCaller("v", TokenRole.Viewer), new[] { Access.Viewer }),
        new TestCaseData(new UserCaller("o", TokenRole.Operator), new[] { Access.Viewer, Access.Operator }),
        new TestCaseData(new UserCaller("j", TokenRole.Agent), Array.Empty<Access>()),
        new TestCaseData(new AgentCaller(new string('a', 64)), new[] { Access.Agent }),
        new TestCaseData(new AgentCaller(new string('a', 64)) { CertifiedIdentity = "x" }, new[] { Access.Agent }),
    ];

    [TestCaseSource(nameof(Callers))]
    public void May_EveryAccess_OpensWhatTheTableSays(Caller caller, Access[] opened)
    {
        // One more than there is: an access that a newer contract names opens to nobody.
        var all = Enum.GetValues<Access>().Append((Access)99);
        Assert.That(all.Where(caller.May), Is.EquivalentTo(opened));
    }

    [TestCase("/loadharness.v1.Control/ListRuns", Access.Viewer)]
    [TestCase("/loadharness.v1.Control/ForgetAgent", Access.Operator)]
    [TestCase("/loadharness.v1.AgentLink/Attach", Access.Agent)]
    [TestCase("/grpc.health.v1.Health/Watch", Access.Viewer)]
    [TestCase("/loadharness.v1.Control/Nothing", Access.Unspecified)]
    [TestCase("/loadharness.v1.control/listruns", Access.Unspecified)]
    [TestCase("/grpc.health.v1.HealthX/Watch", Access.Unspecified)]
    [TestCase("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Access.Unspecified)]
    [TestCase("", Access.Unspecified)]
    public void Of_Method_IsWhatTheContractSaysOrOpenToNobody(string method, Access expected) =>
        Assert.That(AccessPolicy.Of(method), Is.EqualTo(expected));

    [Test]
    public void Read_MethodWithoutTheOption_IsOpenToNobody()
    {
        var policy = AccessPolicy.Read([Grpc.Health.V1.HealthReflection.Descriptor]);

        Assert.That(policy.Select(p => p.Value), Is.Not.Empty.And.All.EqualTo(Access.Unspecified));
    }
}
