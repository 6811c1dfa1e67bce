using System.Collections.Immutable;
using LoadHarness.Agent.Interop.OpenSsl;

namespace LoadHarness.Agent.Transports;

/// <summary>What the TLS connections of a run have in common; shared by its reactors.</summary>
/// <param name="Context">Set up; its owner disposes of it when no reactor is left.</param>
/// <param name="Peers">Who each destination is taken for, by its number.</param>
/// <param name="ResumeRatio">Part of the handshakes that resume an earlier session when there is one, 0 to 1.</param>
/// <param name="ReleasesIdle">A connection that will never send again gives its TLS state back: the socket stays.</param>
/// <param name="ShutsDownQuietly">No close_notify ahead of our FIN.</param>
public sealed record TlsOptions(
    SslContext Context, ImmutableArray<TlsPeer> Peers, double ResumeRatio, bool ReleasesIdle, bool ShutsDownQuietly);

/// <summary>Who a target is taken for.</summary>
/// <param name="ServerName">SNI, ASCII with NUL at its end; null: none is sent.</param>
/// <param name="VerifiedName">The name that its certificate must be for, ASCII with NUL at its end; null: any.</param>
/// <param name="VerifiedAddress">The address that its certificate must be for, 4 or 16 bytes; null: any.</param>
public sealed record TlsPeer(byte[]? ServerName, byte[]? VerifiedName, byte[]? VerifiedAddress);
