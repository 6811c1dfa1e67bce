using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.OpenSsl;

/// <summary>
/// One TLS connection of OpenSSL (ssl(7)): SSL_new(3) to SSL_free(3). A pointer and nothing more; it is touched by one thread at a
/// time, and not used after <see cref="Free"/>.
/// </summary>
public readonly unsafe partial struct Ssl
{
    private const int Success = 1;
    private const int ErrorWantRead = 2;
    private const int ErrorWantWrite = 3;
    private const int ErrorSyscall = 5;
    private const int ErrorZeroReturn = 6;
    private const int SetHostNameCommand = 55;
    private const int HostNameType = 0;

    private readonly nint _handle;

    private Ssl(nint handle) => _handle = handle;

    /// <summary>Whether there is one.</summary>
    public bool Exists => _handle != 0;

    /// <summary>Whether the handshake is over, and has succeeded.</summary>
    public bool IsOpen => SSL_is_init_finished(_handle) == Success;

    /// <summary>Whether the handshake resumed an earlier session.</summary>
    public bool Resumed => SSL_session_reused(_handle) == Success;

    /// <summary>Why the peer's certificate was not accepted, X509_V_ERR_...; 0: it was, or nobody looked.</summary>
    public int VerifyResult => (int)SSL_get_verify_result(_handle);

    /// <summary>The client's end of a connection over a connected socket, which it does not close.</summary>
    /// <param name="context">How it is to behave.</param>
    /// <param name="fd">Non-blocking.</param>
    /// <returns>None when memory ran out.</returns>
    public static Ssl Connect(SslContext context, int fd)
    {
        var handle = SSL_new(context.Handle);
        if (handle == 0)
            return default;
        if (SSL_set_fd(handle, fd) != Success)
        {
            SSL_free(handle);
            return default;
        }

        SSL_set_connect_state(handle);
        return new Ssl(handle);
    }

    /// <summary>SNI: the name that the server is asked for, in the clear.</summary>
    /// <param name="name">ASCII, NUL at its end.</param>
    /// <returns>False when OpenSSL does not take it.</returns>
    public bool SetServerName(ReadOnlySpan<byte> name)
    {
        fixed (byte* bytes = name)
            return SSL_ctrl(_handle, SetHostNameCommand, HostNameType, (nint)bytes) == Success;
    }

    /// <summary>The name that the certificate must be for (RFC 9525).</summary>
    /// <param name="name">ASCII, NUL at its end.</param>
    /// <returns>False when OpenSSL does not take it: then no name is verified, and the connection must not be used.</returns>
    public bool SetVerifiedName(ReadOnlySpan<byte> name)
    {
        fixed (byte* bytes = name)
            return SSL_set1_host(_handle, bytes) == Success;
    }

    /// <summary>The address that the certificate must be for (X509_VERIFY_PARAM_set1_ip(3)).</summary>
    /// <param name="address">4 or 16 bytes.</param>
    /// <returns>As of <see cref="SetVerifiedName"/>.</returns>
    public bool SetVerifiedAddress(ReadOnlySpan<byte> address)
    {
        fixed (byte* bytes = address)
            return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(_handle), bytes, (nuint)address.Length) == Success;
    }

    /// <summary>The session that the handshake is to resume; others may resume it too.</summary>
    public void SetSession(SslSession session)
    {
        // OpenSSL takes one of TLS 1.3 for spent once it was resumed: each handshake has a copy.
        var copy = session.Copy();
        SSL_set_session(_handle, copy.Handle);
        copy.Free();
    }

    /// <summary>A copy of the session as it stands, with the newest ticket that was read; the caller frees it. None when it cannot be resumed.</summary>
    public SslSession TakeSession()
    {
        // A copy: how this connection ends later is no matter to those that resume it.
        var session = new SslSession(SSL_get_session(_handle));
        return session is { Exists: true, IsResumable: true } ? session.Copy() : default;
    }

    /// <summary>Takes the handshake on.</summary>
    /// <param name="errno">When the socket failed; 0 is the peer's FIN.</param>
    public TlsResult Handshake(out int errno)
    {
        TlsErrors.Clear();
        return ResultOf(SSL_do_handshake(_handle), out errno);
    }

    /// <summary>Reads what was decrypted.</summary>
    /// <param name="buffer">At least <paramref name="length"/> bytes.</param>
    /// <param name="length">Above 0.</param>
    /// <param name="read">Bytes read when Done; otherwise 0.</param>
    /// <param name="errno">When the socket failed; 0 is the peer's FIN.</param>
    public TlsResult Read(byte* buffer, int length, out int read, out int errno)
    {
        TlsErrors.Clear();
        read = SSL_read(_handle, buffer, length);
        var result = ResultOf(read, out errno);
        read = Math.Max(read, 0);
        return result;
    }

    /// <summary>Encrypts and sends, a record or more at a time. After Again the same bytes must come again.</summary>
    /// <param name="bytes">At least <paramref name="length"/> bytes.</param>
    /// <param name="length">Above 0.</param>
    /// <param name="written">Bytes taken when Done; otherwise 0.</param>
    /// <param name="errno">When the socket failed.</param>
    public TlsResult Write(byte* bytes, int length, out int written, out int errno)
    {
        TlsErrors.Clear();
        written = SSL_write(_handle, bytes, length);
        var result = ResultOf(written, out errno);
        written = Math.Max(written, 0);
        return result;
    }

    /// <summary>Sends close_notify; the peer's is not waited for.</summary>
    /// <param name="errno">When the socket failed.</param>
    public TlsResult Shutdown(out int errno)
    {
        TlsErrors.Clear();
        var returned = SSL_shutdown(_handle);
        // 0: ours is sent, the peer's has not come.
        return ResultOf(returned == 0 ? Success : returned, out errno);
    }

    /// <summary>Frees the buffers of records that have nothing in them; the next read and write make them again.</summary>
    public void FreeBuffers() => _ = SSL_free_buffers(_handle);

    /// <summary>Frees its memory. The socket stays as it is.</summary>
    public void Free() => SSL_free(_handle);

    private TlsResult ResultOf(int returned, out int errno)
    {
        errno = 0;
        if (returned >= Success)
            return TlsResult.Done;
        var systemError = Marshal.GetLastSystemError();
        switch (SSL_get_error(_handle, returned))
        {
            case ErrorWantRead or ErrorWantWrite:
                return TlsResult.Again;
            case ErrorZeroReturn:
                return TlsResult.Ended;
            case ErrorSyscall:
                errno = systemError;
                return TlsResult.SocketFailed;
            default:
                return TlsErrors.IsUnexpectedEnd ? TlsResult.SocketFailed : TlsResult.Failed;
        }
    }

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint SSL_new(nint context);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial void SSL_free(nint ssl);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_free_buffers(nint ssl);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_set_fd(nint ssl, int fd);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial void SSL_set_connect_state(nint ssl);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint SSL_ctrl(nint ssl, int command, nint number, nint pointer);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_set1_host(nint ssl, byte* name);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint SSL_get0_param(nint ssl);

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial int X509_VERIFY_PARAM_set1_ip(nint parameters, byte* address, nuint length);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_set_session(nint ssl, nint session);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint SSL_get_session(nint ssl);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_session_reused(nint ssl);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint SSL_get_verify_result(nint ssl);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_is_init_finished(nint ssl);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_read(nint ssl, byte* buffer, int length);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_write(nint ssl, byte* buffer, int length);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_shutdown(nint ssl);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_get_error(nint ssl, int returned);
}
