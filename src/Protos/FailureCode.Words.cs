namespace LoadHarness.Protos;

/// <content>Those that a client meets, in words. OpenSSL's are stable numbers with other names.</content>
public static partial class FailureCode
{
    // IANA, TLS Alerts.
    private static string Alert(int alert) => alert switch
    {
        0 => "close notify",
        10 => "unexpected message",
        20 => "bad record MAC",
        22 => "record overflow",
        40 => "handshake failure",
        42 => "bad certificate",
        43 => "unsupported certificate",
        44 => "certificate revoked",
        45 => "certificate expired",
        46 => "certificate unknown",
        47 => "illegal parameter",
        48 => "unknown CA",
        49 => "access denied",
        50 => "decode error",
        51 => "decrypt error",
        70 => "protocol version",
        71 => "insufficient security",
        80 => "internal error",
        86 => "inappropriate fallback",
        90 => "user cancelled",
        100 => "no renegotiation",
        109 => "missing extension",
        110 => "unsupported extension",
        112 => "unrecognized name",
        113 => "bad certificate status response",
        115 => "unknown PSK identity",
        116 => "certificate required",
        120 => "no application protocol",
        _ => "unknown",
    };

    private static string VerifyResult(int result) => result switch
    {
        2 or 20 => "the certificate's issuer is unknown",
        7 => "the certificate's signature is wrong",
        9 => "the certificate is not valid yet",
        10 => "the certificate has expired",
        18 => "the certificate is signed by itself",
        19 => "a certificate of the chain is signed by itself",
        21 => "the certificate's signature cannot be verified",
        22 => "the certificate chain is too long",
        23 => "the certificate is revoked",
        24 => "the certificate's issuer has no key",
        25 or 80 or 81 => "the certificate chain is longer than its CA allows",
        26 => "the certificate is not for TLS servers",
        27 or 28 => "the certificate is not trusted",
        62 => "the certificate is for another name",
        64 => "the certificate is for another address",
        47 or 48 => "the certificate's CA may not sign for this name",
        66 => "the certificate's key is too small",
        67 => "the CA's key is too small",
        68 => "the CA's signature is too weak",
        79 => "the certificate's issuer is no CA",
        _ => $"the certificate was not accepted (X509_V_ERR {result})",
    };

    private static string Reason(int reason) => reason switch
    {
        0 => "an error inside OpenSSL",
        103 or 133 => "a change cipher spec that was not expected",
        108 or 315 or 378 => "a key exchange group that was not offered",
        110 => "a bad extension",
        123 => "a bad signature",
        146 or 150 or 152 or 159 or 271 or 404 => "a message of the wrong length",
        149 or 281 => "a record that cannot be decrypted",
        156 => "plain HTTP where TLS was expected",
        191 => "no TLS version is left that both sides allow",
        198 or 267 => "no TLS record: the peer speaks another protocol",
        205 => "an alert that does not exist",
        244 => "a message that was not expected",
        245 or 443 => "a record that was not expected",
        258 or 266 => "a TLS version that is not allowed here",
        261 => "a cipher suite that was not offered",
        291 => "data behind its own end",
        294 => "an end without close_notify, which may cut a response off",
        338 => "renegotiation that is not safe (RFC 5746)",
        394 => "a key exchange that is too weak",
        _ => $"OpenSSL reason {reason}",
    };

    private static string Response(ResponseFault fault) => fault switch
    {
        ResponseFault.NotHttp => "no HTTP/1 response",
        ResponseFault.TlsRecord => "a TLS record: the target wants TLS",
        ResponseFault.Http2Frame => "an HTTP/2 frame: the target speaks HTTP/2 only",
        ResponseFault.StatusLine => "a bad status line",
        ResponseFault.UpgradeUnasked => "101 Switching Protocols, which nobody asked for",
        ResponseFault.FieldLine => "a bad header line",
        ResponseFault.ContentLength => "a bad Content-Length, or two of them",
        ResponseFault.TransferEncoding => "a Transfer-Encoding other than chunked",
        ResponseFault.TwoLengths => "a response with two lengths, or with one where there is no body",
        ResponseFault.TooLong => "a header of more than 64 KB",
        ResponseFault.Chunk => "a bad chunk",
        ResponseFault.Truncated => "a response that ends in the middle",
        ResponseFault.Unasked => "bytes that no request asked for",
        ResponseFault.OtherContent => "other bytes than were sent",
        _ => $"response fault {(int)fault}",
    };
}
