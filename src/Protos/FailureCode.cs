namespace LoadHarness.Protos;

/// <summary>
/// What TLS and HTTP say of a failure, as one number beside errnos (which end at 4095): the same on the wire, in the store and in messages.
/// </summary>
public static partial class FailureCode
{
    /// <summary>The lowest code: what lies below is an errno, or the status of a response.</summary>
    public const int First = 10_000;

    private const int FirstAlert = First;
    private const int FirstVerifyResult = 20_000;
    private const int FirstReason = 30_000;
    private const int FirstResponse = 40_000;
    private const int Range = 10_000;

    /// <summary>An alert that the peer has sent (RFC 8446, 6), 0 to 255.</summary>
    public static int OfAlert(int alert) => FirstAlert + alert;

    /// <summary>Why a certificate was not accepted: X509_V_ERR_... (openssl/x509_vfy.h).</summary>
    public static int OfVerifyResult(int result) => FirstVerifyResult + result;

    /// <summary>What OpenSSL did not like about what came: SSL_R_... (openssl/sslerr.h).</summary>
    public static int OfReason(int reason) => FirstReason + reason;

    /// <summary>What is wrong with an HTTP response.</summary>
    public static int OfResponse(ResponseFault fault) => FirstResponse + (int)fault;

    /// <summary>The words for a code; null when it is an errno or 0.</summary>
    public static string? Describe(int code) => code switch
    {
        >= FirstResponse and < FirstResponse + Range => Response((ResponseFault)(code - FirstResponse)),
        >= FirstReason and < FirstResponse => Reason(code - FirstReason),
        >= FirstVerifyResult and < FirstReason => VerifyResult(code - FirstVerifyResult),
        >= FirstAlert and < FirstVerifyResult => $"alert {code - FirstAlert}, {Alert(code - FirstAlert)}",
        _ => null,
    };
}
