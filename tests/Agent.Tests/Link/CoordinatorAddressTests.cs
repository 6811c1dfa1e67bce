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
    public async Task TryParse_Loopback_GivesItsEndpoint(string text, string first)
    {
        Assert.That(CoordinatorAddress.TryParse(text, out var address, out var error), Is.True, error);
        Assert.That((address!.SocketPath, address.IsTls), Is.EqualTo(((string?)null, false)));
        Assert.That((await address.ResolveAsync(CancellationToken.None))[0].ToString(), Is.EqualTo(first));
    }

    [TestCase("https://10.0.0.1:7443", "10.0.0.1", 7443)]
    [TestCase("https://[2001:db8::1]:7443/", "2001:db8::1", 7443)]
    [TestCase("https://coordinator.example", "coordinator.example", 443)]
    [TestCase("https://bücher.example:1", "xn--bcher-kva.example", 1)]
    public void TryParse_Https_IsAnyHost(string text, string host, int port)
    {
        Assert.That(CoordinatorAddress.TryParse(text, out var address, out var error), Is.True, error);
        Assert.That((address!.IsTls, address.Host, address.Port), Is.EqualTo((true, host, port)));
        Assert.That(address.SocketPath, Is.Null);
    }

    [TestCase("", "is no coordinator")]
    [TestCase("nonsense", "is no coordinator")]
    [TestCase("ftp://127.0.0.1", "is no coordinator")]
    [TestCase("http://127.0.0.1:70000", "is no coordinator")]
    [TestCase("unix:relative.sock", "absolute path")]
    [TestCase("https://10.0.0.1:0", "is no coordinator")]
    [TestCase("https://:443", "is no coordinator")]
    [TestCase("https://user@10.0.0.1:443", "only a host and a port")]
    [TestCase("https://10.0.0.1:443/path", "only a host and a port")]
    [TestCase("http://10.0.0.1:5000", "join https://10.0.0.1:5000 instead")]
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
