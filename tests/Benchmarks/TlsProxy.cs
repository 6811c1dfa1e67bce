using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace LoadHarness.Benchmarks;

/// <summary>HAProxy that ends TLS and answers requests itself, on one core, with one port for each kind of key. Several processes share the ports (SO_REUSEPORT).</summary>
internal sealed class TlsProxy : IDisposable
{
    /// <summary>With a certificate for an RSA key of 2,048 bits.</summary>
    public const int RsaPort = 9443;

    /// <summary>With a certificate for a key on P-256.</summary>
    public const int EcPort = 9444;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loadharness-bench-tls-");
    private readonly List<RunningProgram> _programs = [];

    /// <summary>Starts it.</summary>
    /// <param name="processes">Each takes 19,000 connections at most.</param>
    public TlsProxy(int processes = 1)
    {
        using var rsa = RSA.Create(2048);
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Issue("rsa.pem", new CertificateRequest("CN=localhost", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), rsa, (issued, key) => issued.CopyWithPrivateKey(key));
        Issue("ec.pem", new CertificateRequest("CN=localhost", ec, HashAlgorithmName.SHA256), ec, (issued, key) => issued.CopyWithPrivateKey(key));
        for (var i = 0; i < processes; i++)
            _programs.Add(Start(PathOf($"{i}.cfg"), PathOf(StatsSocket(i))));
    }

    /// <summary>The CA of both certificates, PEM.</summary>
    public string Authority { get; private set; } = "";

    /// <summary>Connections that it has now.</summary>
    public int Connections => Enumerable.Range(0, _programs.Count).Sum(i => ConnectionsOf(StatsSocket(i)));

    /// <inheritdoc/>
    public void Dispose()
    {
        _programs.ForEach(p => p.Dispose());
        _folder.Delete(recursive: true);
    }

    private static string StatsSocket(int process) => $"{process}.sock";

    private RunningProgram Start(string configuration, string socket)
    {
        File.WriteAllText(configuration, $"""
            global
                maxconn 19000
                no strict-limits
                nbthread 1
                stats socket {socket} mode 600
            defaults
                mode http
                timeout connect 5s
                timeout server 1h
                timeout client 1h
                timeout http-request 1h
                timeout http-keep-alive 1h
            frontend tls
                bind 127.0.0.1:{RsaPort} ssl crt {PathOf("rsa.pem")} backlog 65535
                bind 127.0.0.1:{EcPort} ssl crt {PathOf("ec.pem")} backlog 65535
                http-request return status 200 content-type text/plain string ok

            """);
        var program = new RunningProgram("taskset", ["-c", "0", "haproxy", "-db", "-f", configuration]);
        for (var tries = 0; tries < 100 && !File.Exists(socket); tries++)
            Thread.Sleep(100);
        return program;
    }

    private int ConnectionsOf(string name)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(PathOf(name)));
        using var stream = new NetworkStream(socket);
        stream.Write("show info\n"u8);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        var line = reader.ReadToEnd().Split('\n').First(l => l.StartsWith("CurrConns: ", StringComparison.Ordinal));
        return int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private void Issue<TKey>(string file, CertificateRequest request, TKey key, Func<X509Certificate2, TKey, X509Certificate2> join)
        where TKey : AsymmetricAlgorithm
    {
        // Its CA has a key of the same kind.
        using var rootRsa = RSA.Create(2048);
        using var rootEc = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var name = new X500DistinguishedName($"CN=CA of {file}");
        var rootRequest = key is RSA ? new CertificateRequest(name, rootRsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) : new CertificateRequest(name, rootEc, HashAlgorithmName.SHA256);
        var signer = key is RSA ? X509SignatureGenerator.CreateForRSA(rootRsa, RSASignaturePadding.Pkcs1) : X509SignatureGenerator.CreateForECDsa(rootEc);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = DateTimeOffset.UtcNow;
        using var root = rootRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        Authority += root.ExportCertificatePem() + "\n";
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(root.SubjectName, signer, now.AddHours(-1), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        using var whole = join(issued, key);
        File.WriteAllText(PathOf(file), $"{whole.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
    }
}
