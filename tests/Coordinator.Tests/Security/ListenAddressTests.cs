using System.Net;
using System.Net.Sockets;
using CsCheck;
using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.Tests.Security;

public sealed class ListenAddressTests
{
    [TestCase("127.0.0.1:7443", "127.0.0.1:7443", true)]
    [TestCase("10.0.0.1:0", "10.0.0.1:0", false)]
    [TestCase("[::1]:7443", "[::1]:7443", true)]
    [TestCase("[::]:7443", "[::]:7443", false)]
    [TestCase("0.0.0.0:7443", "0.0.0.0:7443", false)]
    [TestCase("*:7443", "*:7443", false)]
    [TestCase("name:7443", "192.0.2.7:7443", false)]
    public void Parse_Sound_IsRead(string text, string expected, bool loopback)
    {
        var address = ListenAddress.Parse(text, _ => [IPAddress.Parse("192.0.2.7")]).Single();

        Assert.That((address.ToString(), address.IsLoopback), Is.EqualTo((expected, loopback)));
    }

    [TestCase("")]
    [TestCase("7443")]
    [TestCase(":7443")]
    [TestCase("127.0.0.1")]
    [TestCase("127.0.0.1:")]
    [TestCase("127.0.0.1:65536")]
    [TestCase("127.0.0.1:-1")]
    [TestCase("127.0.0.1: 80")]
    [TestCase("::1:7443")]
    [TestCase("[::1]")]
    [TestCase("nowhere:7443")]
    [TestCase("[nowhere]:7443")]
    [TestCase("https://10.0.0.1:7443")]
    public void Parse_Unsound_IsRefused(string text) => Assert.That(() => ListenAddress.Parse(text, _ => []), Throws.TypeOf<FormatException>());

    [Test]
    public void Parse_AnyText_ThrowsNothingElse() => Gen.String.Sample(text =>
    {
        try
        {
            ListenAddress.Parse(text, _ => []);
        }
        catch (FormatException)
        {
        }
    });

    [Test]
    public void Open_PortInUse_SaysSo()
    {
        using var other = ListenSocket.Open(At("127.0.0.1:0"));
        var port = ((IPEndPoint)other.LocalEndPoint!).Port;

        Assert.That(() => ListenSocket.Open(At($"127.0.0.1:{port}")),
            Throws.TypeOf<CredentialException>().With.Message.Contains($"127.0.0.1:{port}").And.Message.Contains("another program listens"));
    }

    [Test]
    public void Open_AddressOfAnotherHost_SaysSo() => Assert.That(() => ListenSocket.Open(At("192.0.2.7:7443")),
        Throws.TypeOf<CredentialException>().With.Message.Contains("192.0.2.7 is not an address of this host"));

    [Test]
    public void Open_EveryAddress_TakesBothFamilies()
    {
        using var socket = ListenSocket.Open(At("*:0"));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        Assert.That(() => client.Connect(IPAddress.Loopback, ((IPEndPoint)socket.LocalEndPoint!).Port), Throws.Nothing);
    }

    private static ListenAddress At(string text) => ListenAddress.Parse(text, _ => []).Single();
}
