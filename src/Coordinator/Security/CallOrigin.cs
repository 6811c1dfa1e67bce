using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace LoadHarness.Coordinator.Security;

/// <summary>Where a call came in.</summary>
/// <param name="Tls">Over TLS. If not, it came over the Unix socket or loopback.</param>
/// <param name="Peer">The other end's address; null on a Unix socket.</param>
/// <param name="Certificate">What the other end proved to hold the key of; null: nothing.</param>
public sealed record CallOrigin(bool Tls, IPAddress? Peer, X509Certificate2? Certificate)
{
    /// <summary>Reads it off a request.</summary>
    public static CallOrigin Of(HttpContext context) => new(
        context.Features.Get<ITlsHandshakeFeature>() is not null,
        context.Connection.RemoteIpAddress,
        context.Connection.ClientCertificate);
}
