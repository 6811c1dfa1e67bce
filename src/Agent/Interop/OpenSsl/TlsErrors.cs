using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.OpenSsl;

/// <summary>The calling thread's queue of OpenSSL errors (ERR_get_error(3)).</summary>
public static unsafe partial class TlsErrors
{
    private const uint ReasonMask = 0x7FFFFF;
    private const uint SystemError = 0x80000000;
    private const int LibraryShift = 23;
    private const uint SslLibrary = 20;
    private const int PemLibrary = 9;
    // Of a reason that all libraries share.
    private const int CommonFlag = 2 << 18;
    private const int MallocFailure = 256 | CommonFlag | (1 << 18);
    private const int AlertOffset = 1000;
    private const int UnexpectedEnd = 294;
    private const int VerifyFailed = 134;
    private const int NoStartLine = 108;

    /// <summary>What an error of TLS says: SSL_R_... of openssl/sslerr.h; 0 for one of the system or of another of OpenSSL's libraries, whose numbers mean other things.</summary>
    public static int ReasonOf(uint code) =>
        LibraryOf(code) == SslLibrary && (code & CommonFlag) == 0 ? (int)(code & ReasonMask) : 0;

    /// <summary>Whether a packed code says that there was no memory, ERR_R_MALLOC_FAILURE.</summary>
    public static bool IsMemoryFailure(uint code) => (code & SystemError) == 0 && (code & ReasonMask) == MallocFailure;

    /// <summary>Whether a packed code says that the peer's certificate was not accepted, SSL_R_CERTIFICATE_VERIFY_FAILED.</summary>
    public static bool IsVerifyFailure(uint code) => ReasonOf(code) == VerifyFailed;

    /// <summary>Whether the newest error is the peer's FIN without close_notify, SSL_R_UNEXPECTED_EOF_WHILE_READING.</summary>
    internal static bool IsUnexpectedEnd => ReasonOf((uint)ERR_peek_last_error()) == UnexpectedEnd;

    /// <summary>Whether the newest error is that there was no PEM block any more, PEM_R_NO_START_LINE.</summary>
    internal static bool IsNoStartLine => (uint)ERR_peek_last_error() is var code && LibraryOf(code) == PemLibrary && (code & ReasonMask) == NoStartLine;

    /// <summary>Takes the oldest error of TLS, or where there is none the oldest, and forgets the others: what lies below TLS says less.</summary>
    /// <param name="alert">The alert that the peer has sent (RFC 8446, 6), 0 to 255; -1: the error is our own.</param>
    /// <returns>OpenSSL's packed code, for <see cref="Describe"/>; 0: there was none.</returns>
    public static uint Take(out int alert)
    {
        var taken = (uint)ERR_get_error();
        for (var code = taken; code != 0 && LibraryOf(taken) != SslLibrary; code = (uint)ERR_get_error())
            taken = LibraryOf(code) == SslLibrary ? code : taken;
        Clear();
        var reason = ReasonOf(taken);
        alert = reason is >= AlertOffset and <= AlertOffset + byte.MaxValue ? reason - AlertOffset : -1;
        return taken;
    }

    /// <summary>OpenSSL's words for a packed code, such as "wrong version number".</summary>
    public static string Describe(uint code) =>
        (code & SystemError) != 0
            ? Marshal.GetPInvokeErrorMessage((int)(code & ~SystemError))
            : Marshal.PtrToStringUTF8(ERR_reason_error_string(code)) ?? $"OpenSSL error {code:x8}";

    /// <summary>OpenSSL's words for a verify result, such as "certificate has expired".</summary>
    public static string DescribeVerifyResult(int result) => Marshal.PtrToStringUTF8(X509_verify_cert_error_string(result)) ?? $"verify result {result}";

    internal static void Clear() => ERR_clear_error();

    private static uint LibraryOf(uint code) => (code & SystemError) != 0 ? 0 : (code >> LibraryShift) & 0xFF;

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial nuint ERR_get_error();

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial nuint ERR_peek_last_error();

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial void ERR_clear_error();

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial nint ERR_reason_error_string(nuint code);

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial nint X509_verify_cert_error_string(nint result);
}
