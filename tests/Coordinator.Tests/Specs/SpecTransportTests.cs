using CsCheck;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Specs;

/// <summary>What carries connections.</summary>
public class SpecTransportTests
{
    private static readonly byte[] _pem = "-----BEGIN SOMETHING-----\n"u8.ToArray();
    private static readonly RunSpecInput _tls = new() { Targets = ["tls://10.0.0.5:443"], Connections = "100" };
    private static readonly RunSpecInput _tcp = new() { Targets = ["10.0.0.5:443"], Connections = "100" };

    private static TransportSpec Valid(RunSpecInput input)
    {
        var result = RunSpecValidator.Validate(input, _ => []);
        Assert.That(result.Errors, Is.Empty);
        return result.Spec!.Transport;
    }

    [Test]
    public void Validate_TlsTargetAndNothingMore_IsVerified()
    {
        var transport = Valid(_tls);
        Assert.That((transport.Tls!.Insecure, transport.Tls.Resume, transport.Tls.ReleasesIdle, transport.Proxy), Is.EqualTo((false, 0d, false, (ProxySpec?)null)));
        Assert.That(Valid(_tcp), Is.EqualTo(TransportSpec.Plain));
    }

    [Test]
    public void Validate_EverythingOfTls_IsTaken()
    {
        var tls = Valid(_tls with
        {
            Tls = new()
            {
                Min = "1.2",
                Max = "1.3",
                ServerName = " www.example.com ",
                Authorities = _pem,
                Certificate = _pem,
                Key = _pem,
                Alpn = "h2, http/1.1",
                Ciphers = "AES",
                CipherSuites = "TLS_X",
                Groups = "X25519:P-256",
                Resume = "30%",
                Idle = "release",
                Shutdown = "QUIET",
            },
        }).Tls!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((tls.Lowest, tls.Highest, tls.ServerName, tls.Insecure), Is.EqualTo((TlsVersion.V12, TlsVersion.V13, "www.example.com", false)));
            Assert.That((tls.Authorities.Length, tls.Certificate.Length, tls.Key.Length), Is.EqualTo((_pem.Length, _pem.Length, _pem.Length)));
            Assert.That(tls.Alpn, Is.EqualTo(new[] { "h2", "http/1.1" }));
            Assert.That((tls.Ciphers, tls.CipherSuites, tls.Groups), Is.EqualTo(("AES", "TLS_X", "X25519:P-256")));
            Assert.That((tls.Resume, tls.ReleasesIdle, tls.ShutsDownQuietly), Is.EqualTo((0.3, true, true)));
        }
    }

    [TestCase("never", 0)]
    [TestCase("ALWAYS", 1)]
    [TestCase("30%", 0.3)]
    [TestCase("100%", 1)]
    [TestCase("0%", 0)]
    public void Validate_Resume_IsAPart(string text, double part) => Assert.That(Valid(_tls with { Tls = new() { Resume = text } }).Tls!.Resume, Is.EqualTo(part));

    [Test]
    public void Validate_ProxyAndSockets_AreTaken()
    {
        var transport = Valid(_tcp with
        {
            ProxyProtocol = "V2",
            ProxyClients = "10.128.0.0/11",
            NoDelay = "off",
            KeepAlive = "30s",
            SendBuffer = "256k",
            ReceiveBuffer = "1",
            UserTimeout = "1500ms",
        });
        using (Assert.EnterMultipleScope())
        {
            Assert.That((transport.Proxy!.Version, transport.Proxy.Clients!.Value.ToString(), transport.Proxy.Clients.Value.Count), Is.EqualTo((2, "10.128.0.1-10.159.255.254", 2_097_150L)));
            Assert.That(transport.Socket, Is.EqualTo(new SocketSpec(false, TimeSpan.FromSeconds(30), 256_000, 1, TimeSpan.FromMilliseconds(1500))));
        }
    }

    private static IEnumerable<TestCaseData> Wrong()
    {
        yield return Case(_tcp with { Tls = new() { Insecure = true, ServerName = "x", Min = "1.2", Idle = "keep" } },
            "--tls-min: is for TLS, and no target is tls:// or https://. Write --target tls://10.0.0.5:443, or leave it out", "--tls-sni: is for TLS", "--tls-insecure: is for TLS", "--tls-idle: is for TLS");
        yield return Case(_tls with { Tls = new() { Min = "1.1", Max = "ssl3", Idle = "drop", Shutdown = "loud", Resume = "often" } },
            "--tls-min 1.1: is unknown; allowed: 1.2 or 1.3", "--tls-max ssl3: is unknown", "--tls-resume often: is no percentage", "--tls-idle drop: is unknown; allowed: keep or release", "--tls-shutdown loud");
        yield return Case(_tls with { Tls = new() { Min = "1.3", Max = "1.2" } }, "--tls-min 1.3: is above --tls-max 1.2");
        yield return Case(_tls with { Tls = new() { Min = "1.3", Ciphers = "AES" } }, "--tls-ciphers AES: are of TLS 1.2, and --tls-min 1.3 leaves it out. Write --tls-suites");
        yield return Case(_tls with { Tls = new() { Max = "1.2", CipherSuites = "TLS_X" } }, "--tls-suites TLS_X: are of TLS 1.3, and --tls-max 1.2 leaves it out");
        yield return Case(_tls with { Tls = new() { Certificate = _pem } }, "--tls-key: is missing: a certificate and its key belong together");
        yield return Case(_tls with { Tls = new() { Key = _pem } }, "--tls-cert: is missing");
        yield return Case(_tls with { Tls = new() { Insecure = true, Authorities = _pem } }, "--tls-insecure: takes any certificate, so --tls-ca says nothing");
        yield return Case(_tls with { Tls = new() { Authorities = "DER"u8.ToArray() } }, "--tls-ca: has nothing in PEM form; allowed: PEM");
        yield return Case(_tls with { Tls = new() { ServerName = "a b" } }, "--tls-sni a b: is no name of a server");
        yield return Case(_tls with { Tls = new() { Alpn = "h2,,x" } }, "--tls-alpn h2,,x: is no list of protocols");
        yield return Case(_tls with { Tls = new() { Ciphers = "A B" } }, "--tls-ciphers A B: is no list of names");
        yield return Case(_tls with { Targets = ["https://10.0.0.5"], Tls = new() { Idle = "release" } }, "--tls-idle release: gives back what requests need. Keep it");
        yield return Case(_tcp with { ProxyClients = "10.0.0.0/8" }, "--proxy-clients 10.0.0.0/8: are said by a PROXY header, and there is none. Add --proxy-protocol v2");
        yield return Case(_tcp with { ProxyProtocol = "v3" }, "--proxy-protocol v3: is unknown; allowed: v1 or v2");
        yield return Case(_tcp with { ProxyProtocol = "v1", ProxyClients = "10.0.0.1/8" }, "--proxy-clients 10.0.0.1/8: has host bits set");
        yield return Case(_tcp with { ProxyProtocol = "v1", ProxyClients = "2001:db8::/96" }, "--proxy-clients 2001:db8::/96: are IPv6, and 10.0.0.5:443 is not; allowed: addresses of the target's family");
        yield return Case(_tcp with { NoDelay = "maybe", KeepAlive = "500ms", SendBuffer = "0", ReceiveBuffer = "2G", UserTimeout = "2h" },
            "--nodelay maybe", "--keepalive 500ms: is too short", "--send-buffer 0: is out of range; allowed: 1 byte to 1G", "--receive-buffer 2G: is out of range", "--tcp-user-timeout 2h: is too long");
        yield return Case(_tcp with { KeepAlive = "1500ms", UserTimeout = "1.5ms" },
            "--keepalive 1s500ms: has a part of a second, and the kernel takes whole ones; allowed: a whole number of s. Write --keepalive 2s", "--tcp-user-timeout 1.5ms: has a part of a millisecond");

        static TestCaseData Case(RunSpecInput input, params string[] messages) => new TestCaseData(input, messages).SetArgDisplayNames(messages[0]);
    }

    [TestCaseSource(nameof(Wrong))]
    public void Validate_WhatIsWrong_IsSaidAllAtOnceWithARemedy(RunSpecInput input, string[] messages)
    {
        var errors = RunSpecValidator.Validate(input, _ => []).Errors;
        Assert.That(errors, Has.Length.EqualTo(messages.Length), string.Join('\n', errors));
        using (Assert.EnterMultipleScope())
        {
            foreach (var (error, message) in errors.Zip(messages))
                Assert.That(error.Message, Does.StartWith(message));
            Assert.That(errors.Select(e => e.Remedy), Has.All.Not.Empty);
        }
    }

    [Test]
    public void FormatClients_ANetworksUsableAddresses_IsThatNetwork() => Gen.Select(Gen.Bool, Gen.Int[1, 32], Gen.UInt).Sample((isV6, length, number) =>
    {
        var mask = (UInt128.One << (32 - length)) - 1;
        var first = new IpAddress(isV6, (isV6 ? (UInt128)0x20010db8 << 96 : 0) | (number & ~mask));
        var prefix = new CidrPrefix(first, isV6 ? 96 + length : length, (long)mask + 1);
        return SpecTransport.FormatClients(prefix.Usable) == $"{first}/{prefix.Length}";
    });

    [Test]
    public void FormatClients_ARangeThatIsNoNetwork_IsNone() =>
        Assert.That(SpecTransport.FormatClients(new(new IpAddress(false, 0x0A000001), 100)), Is.Null);
}
