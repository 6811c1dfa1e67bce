using LoadHarness.Agent.Link;

namespace LoadHarness.Agent.Tests.Link;

public class CoordinatorAddressTests
{
    [Test]
    public void TryParse_AUnixSocket_GivesItsPath()
    {
        Assert.That(CoordinatorAddress.TryParse("unix:/run/lh/c.sock", out var address, out var error), Is.True, error);
        Assert.That(address!.SocketPath, Is.EqualTo("/run/lh/c.sock"));
        Assert.That(address.ToString(), Is.EqualTo("unix:/run/lh/c.sock"));
    }

    [TestCase("http://127.0.0.1:5000", "127.0.0.1:5000")]
    [TestCase("http://127.9.9.9:5000", "127.9.9.9:5000")]
    [TestCase("http://[::1]:5000", "[::1]:5000")]
    [TestCase("http://localhost:5000/", "127.0.0.1:5000")]
    [TestCase("http://127.0.0.1", "127.0.0.1:80")]
    public void TryParse_Loopback_GivesItsEndpoint(string text, string first)
    {
        Assert.That(CoordinatorAddress.TryParse(text, out var address, out var error), Is.True, error);
        Assert.That(address!.SocketPath, Is.Null);
        Assert.That(address.Endpoints[0].ToString(), Is.EqualTo(first));
    }

    [TestCase("", "is no coordinator")]
    [TestCase("nonsense", "is no coordinator")]
    [TestCase("ftp://127.0.0.1", "is no coordinator")]
    [TestCase("http://127.0.0.1:70000", "is no coordinator")]
    [TestCase("unix:relative.sock", "absolute path")]
    [TestCase("https://10.0.0.1:443", "this release joins over a Unix socket or loopback")]
    [TestCase("http://10.0.0.1:5000", "this release joins over a Unix socket or loopback")]
    [TestCase("http://localhost.example.com:5000", "is not loopback")]
    [TestCase("http://127.0.0.1@10.0.0.1:5000", "only a host and a port")]
    [TestCase("http://127.0.0.1:5000/path", "only a host and a port")]
    [TestCase("http://127.0.0.1:5000?x=1", "only a host and a port")]
    public void TryParse_NothingToJoin_SaysWhy(string text, string reason)
    {
        Assert.That(CoordinatorAddress.TryParse(text, out _, out var error), Is.False);
        Assert.That(error, Does.Contain(reason));
    }

    [Test]
    public void TryParse_APathTooLongForASocket_SaysHowLongItMayBe()
    {
        Assert.That(CoordinatorAddress.TryParse("unix:/" + new string('x', 107), out _, out var error), Is.False);
        Assert.That(error, Does.Contain("at most 107 bytes"));
    }
}
