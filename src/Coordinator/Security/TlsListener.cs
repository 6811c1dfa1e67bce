using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace LoadHarness.Coordinator.Security;

/// <summary>TLS for listeners: presents the newest certificate, and asks the other end for one without demanding it.</summary>
internal static class TlsListener
{
    private static readonly TimeSpan _handshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Makes a listener one that speaks TLS.</summary>
    public static void UseTls(this ListenOptions listen, ServerCertificates certificates) => listen.UseHttps(new TlsHandshakeCallbackOptions
    {
        HandshakeTimeout = _handshakeTimeout,
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificates.Current,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            // Users have tokens; agents present a key, and the handshake proves that they hold it. Whose it is, is judged per call.
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            CertificateChainPolicy = AgentCertificates.Policy(null),
            // Each connection proves possession anew.
            AllowTlsResume = false,
        }),
    });
}
