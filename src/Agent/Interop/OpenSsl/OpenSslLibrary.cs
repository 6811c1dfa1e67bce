namespace LoadHarness.Agent.Interop.OpenSsl;

/// <summary>The libraries of OpenSSL 3, which the runtime's own TLS wants too.</summary>
internal static class OpenSslLibrary
{
    public const string Ssl = "libssl.so.3";
    public const string Crypto = "libcrypto.so.3";
}
