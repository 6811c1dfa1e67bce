using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.LocalFleet;

public class AgentArgumentsTests
{
    [Test]
    public void Join_Targets_AllowsThemAndNothingElse()
    {
        var arguments = AgentArguments.Join(new RunPaths("/run/x"), "local-1",
        [
            new Destination(Range("10.0.0.5", 1), new PortSpan(443, 443), "web"),
            new Destination(Range("10.0.0.5", 1), new PortSpan(8443, 8450), "web"),
            new Destination(Range("10.1.0.1", 3), new PortSpan(80, 80), "three"),
            new Destination(Range("fd00::1", 1), new PortSpan(80, 80), "six"),
        ], ["10.0.1.0/24@eth0"]);
        Assert.That(string.Join(' ', arguments), Is.EqualTo(
            "join unix:/run/x/coordinator.sock --id local-1 --credential-file /run/x/credential "
            + "--allow 10.0.0.5/32:443 --allow 10.0.0.5/32:8443-8450 "
            + "--allow 10.1.0.1/32:80 --allow 10.1.0.2/31:80 --allow [fd00::1]/128:80 --allow-provision 10.0.1.0/24@eth0 --exit-with-parent"));
    }

    [Test]
    public void JoinAsBackend_Loopback_ListensThereAndNowhereElse() =>
        Assert.That(
            string.Join(' ', AgentArguments.JoinAsBackend(
                new RunPaths("/run/x"), "local-backend", [Range("127.0.0.1", 1).First], [new(9000, 9009), new(9100, 9100)])),
            Is.EqualTo("join unix:/run/x/coordinator.sock --id local-backend --credential-file /run/x/credential "
                + "--role backend --listen-address 127.0.0.1 --allow-listen 9000-9009,9100 --exit-with-parent"));

    private static IpRange Range(string first, long count) => new(IpAddress.From(System.Net.IPAddress.Parse(first)), count);
}
