using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.LocalFleet;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>What a user's program says of certificates that no coordinator would start with.</summary>
public sealed class ServerTrustTests
{
    private static readonly DateTimeOffset _now = DateTimeOffset.UtcNow;

    [Test]
    public async Task Dial_ExpiredCertificate_SaysWhen() =>
        Assert.That(await RefusalAsync(_now.AddDays(-20), _now.AddDays(-10)),
            Does.Contain($"expired at {_now.AddDays(-10).UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC").And.Contain("certs issue server"));

    [Test]
    public async Task Dial_CertificateThatIsNotValidYet_PointsAtTheClock() =>
        Assert.That(await RefusalAsync(_now.AddDays(1), _now.AddDays(10)),
            Does.Contain($"is valid from {_now.AddDays(1).UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC on").And.Contain("set the clock"));

    [Test]
    public void Dial_SoundCertificate_IsTaken() =>
        Assert.That(async () => await RefusalAsync(_now.AddDays(-1), _now.AddDays(1)), Throws.InvalidOperationException.With.Message.EqualTo("it was taken"));

    private static async Task<string> RefusalAsync(DateTimeOffset from, DateTimeOffset until)
    {
        using var directory = new TemporaryDirectory();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var authority = Authority(key);
        var file = directory.File("ca.pem");
        File.WriteAllText(file, authority.ExportCertificatePem());
        using var certificate = Issue(authority, from, until);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync(listener, certificate);
        CoordinatorUrl.TryParse($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}", out var url, out _);
        try
        {
            await (await new CoordinatorDialer(url!, ServerTrust.Of(file)).DialAsync(CancellationToken.None)).DisposeAsync();
        }
        catch (ChannelException e)
        {
            Assert.That(e.MayPass, Is.False);
            Assert.That(e.Message, Does.Contain(url!.ToString()));
            return e.Message;
        }
        finally
        {
            await serving;
        }

        throw new InvalidOperationException("it was taken");
    }

    private static async Task ServeAsync(TcpListener listener, X509Certificate2 certificate)
    {
        using var socket = await listener.AcceptSocketAsync();
        await using var ssl = new SslStream(new NetworkStream(socket));
        try
        {
            await ssl.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
                ApplicationProtocols = [SslApplicationProtocol.Http2],
            });
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client did not like it.
        }
    }

    private static X509Certificate2 Authority(ECDsa key)
    {
        var request = new CertificateRequest("CN=test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(_now.AddDays(-100), _now.AddDays(100));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=coordinator", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, from, until, [1, 2, 3]);
        return certificate.CopyWithPrivateKey(key);
    }
}
