using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.OpenSsl;

/// <summary>The calling thread's queue of OpenSSL errors (ERR_get_error(3)).</summary>
public static unsafe partial class TlsErrors
{
    private const uint ReasonMask = 0x7FFFFF;
    private const uint SystemError = 0x80000000;
    private const int AlertOffset = 1000;
    private const int UnexpectedEnd = 294;
    private const int VerifyFailed = 134;

    /// <summary>What an error says, without the library and file that it comes from: SSL_R_... of openssl/sslerr.h; 0 for one of the system.</summary>
    public static int ReasonOf(uint code) => (code & SystemError) != 0 ? 0 : (int)(code & ReasonMask);

    /// <summary>Whether a packed code says that the peer's certificate was not accepted, SSL_R_CERTIFICATE_VERIFY_FAILED.</summary>
    public static bool IsVerifyFailure(uint code) => ReasonOf(code) == VerifyFailed;

    /// <summary>Whether the newest error is the peer's FIN without close_notify, SSL_R_UNEXPECTED_EOF_WHILE_READING.</summary>
    internal static bool IsUnexpectedEnd => NewestReason == UnexpectedEnd;

    /// <summary>Takes the oldest error and forgets the others.</summary>
    /// <param name="alert">The alert that the peer has sent (RFC 8446, 6), 0 to 255; -1: the error is our own.</param>
    /// <returns>OpenSSL's packed code, for <see cref="Describe"/>; 0: there was none.</returns>
    public static uint Take(out int alert)
    {
        var code = ERR_get_error();
        Clear();
        var reason = ReasonOf((uint)code);
        alert = reason is >= AlertOffset and <= AlertOffset + byte.MaxValue ? reason - AlertOffset : -1;
        return (uint)code;
    }

    /// <summary>OpenSSL's words for a packed code, such as "wrong version number".</summary>
    public static string Describe(uint code) =>
        (code & SystemError) != 0
            ? Marshal.GetPInvokeErrorMessage((int)(code & ~SystemError))
            : Marshal.PtrToStringUTF8(ERR_reason_error_string(code)) ?? $"OpenSSL error {code:x8}";

    /// <summary>OpenSSL's words for a verify result, such as "certificate has expired".</summary>
    public static string DescribeVerifyResult(int result) => Marshal.PtrToStringUTF8(X509_verify_cert_error_string(result)) ?? $"verify result {result}";

    /// <summary>The reason of the newest error; 0: there is none.</summary>
    internal static int NewestReason => ReasonOf((uint)ERR_peek_last_error());

    internal static void Clear() => ERR_clear_error();

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
