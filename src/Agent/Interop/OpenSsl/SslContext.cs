using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.OpenSsl;

/// <summary>
/// What the TLS connections of a run have in common (SSL_CTX_new(3)). Set up by one thread, then used by any number: OpenSSL
/// counts its references by itself. Setters answer false when OpenSSL does not take the value; <see cref="TlsErrors.Take"/> says why.
/// </summary>
public sealed unsafe partial class SslContext : IDisposable
{
    private const int Success = 1;
    private const int VerifyNone = 0;
    private const int VerifyPeer = 1;
    private const int ExtraChainCommand = 14;
    private const int ModeCommand = 33;
    private const int ReadAheadCommand = 41;
    private const int SessionCacheCommand = 44;
    private const int GroupsCommand = 92;
    private const int MinimumCommand = 123;
    private const int MaximumCommand = 124;
    private const int EnablePartialWrite = 1;
    private const int AcceptMovingBuffer = 2;
    private const int ReleaseBuffers = 16;
    private const int CacheClient = 1;
    private const int CacheNoInternal = 0x300;
    private const uint NoPartialWildcards = 4;

    /// <summary>A client's context: every certificate is verified, and nobody is trusted yet.</summary>
    /// <exception cref="OutOfMemoryException">OpenSSL has none.</exception>
    public SslContext()
    {
        Handle = SSL_CTX_new(TLS_client_method());
        if (Handle == 0)
            throw new OutOfMemoryException("SSL_CTX_new");
        SSL_CTX_set_verify(Handle, VerifyPeer, 0);
        // An idle connection keeps no buffers: 20 KB instead of 53.
        SSL_CTX_ctrl(Handle, ModeCommand, EnablePartialWrite | AcceptMovingBuffer | ReleaseBuffers, 0);
        SSL_CTX_ctrl(Handle, SessionCacheCommand, CacheClient | CacheNoInternal, 0);
        // One read a flight, instead of two a record.
        SSL_CTX_ctrl(Handle, ReadAheadCommand, 1, 0);
        // "w*.example.com" is for nobody (RFC 9525, 6.3).
        X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(Handle), NoPartialWildcards);
    }

    internal nint Handle { get; private set; }

    /// <summary>Lowest and highest version, 0x0303 (TLS 1.2) or 0x0304 (TLS 1.3).</summary>
    public bool SetVersions(int lowest, int highest) =>
        SSL_CTX_ctrl(Handle, MinimumCommand, lowest, 0) == Success && SSL_CTX_ctrl(Handle, MaximumCommand, highest, 0) == Success;

    /// <summary>Takes any certificate from now on, whoever signed it and whatever its name.</summary>
    public void TrustAnybody() => SSL_CTX_set_verify(Handle, VerifyNone, 0);

    /// <summary>Trusts the roots of the system.</summary>
    public bool TrustSystem() => SSL_CTX_set_default_verify_paths(Handle) == Success;

    /// <summary>Trusts certificates.</summary>
    /// <param name="pem">At least one, PEM.</param>
    /// <returns>False when one of them is broken, or there is none.</returns>
    public bool Trust(ReadOnlySpan<byte> pem)
    {
        using var reader = new PemReader(pem);
        var store = SSL_CTX_get_cert_store(Handle);
        var count = 0;
        for (var certificate = reader.NextCertificate(); certificate.Exists; certificate = reader.NextCertificate(), count++)
        {
            var added = X509_STORE_add_cert(store, certificate.Handle) == Success;
            certificate.Free();
            if (!added)
                return false;
        }

        return count > 0 && reader.IsAtEnd;
    }

    /// <summary>The client's own certificate, with those that lead to its root behind it.</summary>
    /// <param name="pem">PEM.</param>
    public bool UseCertificate(ReadOnlySpan<byte> pem)
    {
        using var reader = new PemReader(pem);
        var own = reader.NextCertificate();
        if (!own.Exists)
            return false;
        var used = SSL_CTX_use_certificate(Handle, own.Handle) == Success;
        own.Free();
        for (var issuer = reader.NextCertificate(); used && issuer.Exists; issuer = reader.NextCertificate())
            // The context owns it from here on.
            used = SSL_CTX_ctrl(Handle, ExtraChainCommand, 0, issuer.Handle) == Success;
        return used && reader.IsAtEnd;
    }

    /// <summary>The key of the client's certificate, without a passphrase. Call it after <see cref="UseCertificate"/>.</summary>
    /// <param name="pem">PEM.</param>
    public bool UseKey(ReadOnlySpan<byte> pem)
    {
        using var reader = new PemReader(pem);
        var key = reader.Key();
        if (key == 0)
            return false;
        var used = SSL_CTX_use_PrivateKey(Handle, key) == Success && SSL_CTX_check_private_key(Handle) == Success;
        PemReader.FreeKey(key);
        return used;
    }

    /// <summary>Cipher suites of TLS 1.2, in OpenSSL's notation (openssl-ciphers(1)).</summary>
    public bool SetCiphers(string list) => SSL_CTX_set_cipher_list(Handle, list) == Success;

    /// <summary>Cipher suites of TLS 1.3, by name, with colons between.</summary>
    public bool SetCipherSuites(string list) => SSL_CTX_set_ciphersuites(Handle, list) == Success;

    /// <summary>Groups for the key exchange, by name, with colons between.</summary>
    public bool SetGroups(string list)
    {
        var text = Marshal.StringToCoTaskMemUTF8(list);
        try
        {
            return SSL_CTX_ctrl(Handle, GroupsCommand, 0, text) == Success;
        }
        finally
        {
            Marshal.FreeCoTaskMem(text);
        }
    }

    /// <summary>Protocols offered by ALPN (RFC 7301), each behind its length in one byte.</summary>
    public bool SetAlpn(ReadOnlySpan<byte> protocols)
    {
        // 0 is success here, unlike elsewhere.
        fixed (byte* bytes = protocols)
            return SSL_CTX_set_alpn_protos(Handle, bytes, (uint)protocols.Length) == 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SSL_CTX_free(Handle);
        Handle = 0;
    }

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint TLS_client_method();

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint SSL_CTX_new(nint method);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial void SSL_CTX_free(nint context);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint SSL_CTX_ctrl(nint context, int command, nint number, nint pointer);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial void SSL_CTX_set_verify(nint context, int mode, nint callback);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_CTX_set_default_verify_paths(nint context);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint SSL_CTX_get_cert_store(nint context);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint SSL_CTX_get0_param(nint context);

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial void X509_VERIFY_PARAM_set_hostflags(nint parameters, uint flags);

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial int X509_STORE_add_cert(nint store, nint certificate);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_CTX_use_certificate(nint context, nint certificate);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_CTX_use_PrivateKey(nint context, nint key);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_CTX_check_private_key(nint context);

    [LibraryImport(OpenSslLibrary.Ssl, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_CTX_set_cipher_list(nint context, string list);

    [LibraryImport(OpenSslLibrary.Ssl, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_CTX_set_ciphersuites(nint context, string list);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_CTX_set_alpn_protos(nint context, byte* protocols, uint length);
}
