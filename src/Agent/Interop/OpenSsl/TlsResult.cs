namespace LoadHarness.Agent.Interop.OpenSsl;

/// <summary>How an OpenSSL call on a connection ended (SSL_get_error(3)).</summary>
public enum TlsResult
{
    /// <summary>It is done.</summary>
    Done,

    /// <summary>Nothing more until bytes arrive, or until there is room for bytes.</summary>
    Again,

    /// <summary>The peer has ended the connection with close_notify.</summary>
    Ended,

    /// <summary>The socket failed; the errno says how, 0 is the peer's FIN without close_notify.</summary>
    SocketFailed,

    /// <summary>TLS failed; <see cref="TlsErrors.Take"/> says how.</summary>
    Failed,
}
