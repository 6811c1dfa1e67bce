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
    private const int FilePem = 1;
    private const int ModeCommand = 33;
    private const int SessionCacheCommand = 44;
    private const int GroupsCommand = 92;
    private const int MinimumCommand = 123;
    private const int MaximumCommand = 124;
    private const int EnablePartialWrite = 1;
    private const int AcceptMovingBuffer = 2;
    private const int ReleaseBuffers = 16;
    private const int CacheClient = 1;
    private const int CacheNoInternal = 0x300;

    /// <summary>A client's context: every certificate is verified, and nobody is trusted yet.</summary>
    /// <exception cref="OutOfMemoryException">OpenSSL has none.</exception>
    public SslContext()
    {
        Handle = SSL_CTX_new(TLS_client_method());
        if (Handle == 0)
            throw new OutOfMemoryException("SSL_CTX_new");
        SSL_CTX_set_verify(Handle, VerifyPeer, 0);
        // An idle connection keeps no buffers: 28 KB instead of 60.
        SSL_CTX_ctrl(Handle, ModeCommand, EnablePartialWrite | AcceptMovingBuffer | ReleaseBuffers, 0);
        SSL_CTX_ctrl(Handle, SessionCacheCommand, CacheClient | CacheNoInternal, 0);
    }

    internal nint Handle { get; private set; }

    /// <summary>Lowest and highest version, 0x0303 (TLS 1.2) or 0x0304 (TLS 1.3).</summary>
    public bool SetVersions(int lowest, int highest) =>
        SSL_CTX_ctrl(Handle, MinimumCommand, lowest, 0) == Success && SSL_CTX_ctrl(Handle, MaximumCommand, highest, 0) == Success;

    /// <summary>Takes any certificate from now on, whoever signed it and whatever its name.</summary>
    public void TrustAnybody() => SSL_CTX_set_verify(Handle, VerifyNone, 0);

    /// <summary>Trusts the roots of the system.</summary>
    public bool TrustSystem() => SSL_CTX_set_default_verify_paths(Handle) == Success;

    /// <summary>Trusts the certificates of a PEM file.</summary>
    public bool Trust(string file) => SSL_CTX_load_verify_file(Handle, file) == Success;

    /// <summary>The client's own certificate, with those that lead to its root, from a PEM file.</summary>
    public bool UseCertificate(string file) => SSL_CTX_use_certificate_chain_file(Handle, file) == Success;

    /// <summary>The key of the client's certificate, from a PEM file without a passphrase. Call it after <see cref="UseCertificate"/>.</summary>
    public bool UseKey(string file) =>
        SSL_CTX_use_PrivateKey_file(Handle, file, FilePem) == Success && SSL_CTX_check_private_key(Handle) == Success;

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

    [LibraryImport(OpenSslLibrary.Ssl, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_CTX_load_verify_file(nint context, string file);

    [LibraryImport(OpenSslLibrary.Ssl, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_CTX_use_certificate_chain_file(nint context, string file);

    [LibraryImport(OpenSslLibrary.Ssl, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_CTX_use_PrivateKey_file(nint context, string file, int type);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_CTX_check_private_key(nint context);

    [LibraryImport(OpenSslLibrary.Ssl, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_CTX_set_cipher_list(nint context, string list);

    [LibraryImport(OpenSslLibrary.Ssl, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SSL_CTX_set_ciphersuites(nint context, string list);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_CTX_set_alpn_protos(nint context, byte* protocols, uint length);
}
