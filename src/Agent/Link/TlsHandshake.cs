using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using LoadHarness.Agent.Identity;

namespace LoadHarness.Agent.Link;

/// <summary>The agent's side of a TLS handshake: what is wrong with the coordinator's certificate is said in words.</summary>
internal static class TlsHandshake
{
    /// <summary>Speaks TLS over a connected stream; the peer must be the coordinator and speak HTTP/2.</summary>
    /// <exception cref="LinkRefusedException">Its certificate is not accepted, or there is no TLS or no HTTP/2.</exception>
    /// <exception cref="LinkLostException">The handshake broke.</exception>
    public static async Task<Stream> AuthenticateAsync(
        Stream stream, LinkTls tls, CoordinatorAddress coordinator, CancellationToken cancel)
    {
        var problem = "";
        var ssl = new SslStream(stream);
        try
        {
            var options = Options(tls, coordinator);
            options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                problem = CertificateProblem.Describe(coordinator, tls.CaFile, certificate as X509Certificate2, chain, errors);
                return problem.Length == 0;
            };
            await ssl.AuthenticateAsClientAsync(options, cancel).ConfigureAwait(false);
            return ssl.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2
                ? ssl
                : throw new LinkRefusedException(
                    $"{coordinator} speaks TLS but no HTTP/2: is it a coordinator (loadharness serve), reached without a proxy?");
        }
        catch (Exception e)
        {
            await ssl.DisposeAsync().ConfigureAwait(false);
            if (problem.Length > 0)
                throw new LinkRefusedException(problem);
            throw e switch
            {
                IdentityException => new LinkRefusedException(e.Message),
                AuthenticationException or IOException => await ExplainAsync(coordinator, e, cancel).ConfigureAwait(false),
                _ => e,
            };
        }
    }

    private static SslClientAuthenticationOptions Options(LinkTls tls, CoordinatorAddress coordinator) => new()
    {
        TargetHost = coordinator.Host,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2],
        CertificateChainPolicy = tls.ChainPolicy(),
        // A context and not a collection: out of that, only certificates of issuers that the server names would be shown.
        ClientCertificateContext = SslStreamCertificateContext.Create(tls.Certificate(), additionalCertificates: null, offline: true),
    };

    private static async Task<Exception> ExplainAsync(CoordinatorAddress coordinator, Exception failure, CancellationToken cancel)
    {
        if (await new PortProbe(coordinator, cancel).SpeaksPlainHttp2Async().ConfigureAwait(false))
        {
            return new LinkRefusedException(
                $"{coordinator} speaks no TLS: it is a plaintext port of a coordinator. Start the coordinator with a certificate "
                + $"(loadharness certs init); on its own host join http://127.0.0.1:{coordinator.Port} with --credential-file");
        }

        // Without a cause inside, what came back had not even the form of TLS.
        if (failure is AuthenticationException { InnerException: null })
        {
            return new LinkRefusedException(
                $"{coordinator} answers, but not in TLS: is {coordinator.Port} the port of a coordinator (loadharness serve --listen)?");
        }

        var innermost = failure.GetBaseException();
        return new LinkLostException(failure is AuthenticationException
            ? $"the TLS handshake failed: {innermost.Message}"
            : $"the connection was closed in the TLS handshake: does {coordinator} speak TLS? ({innermost.Message})", failure);
    }
}
