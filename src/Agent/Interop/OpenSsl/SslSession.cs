using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.OpenSsl;

/// <summary>What a later handshake can resume (SSL_SESSION_new(3)). One that was made by default is none.</summary>
public readonly partial struct SslSession
{
    internal SslSession(nint handle) => Handle = handle;

    /// <summary>Whether there is one.</summary>
    public bool Exists => Handle != 0;

    internal nint Handle { get; }

    /// <summary>Gives it back; connections that use it keep it.</summary>
    public void Free() => SSL_SESSION_free(Handle);

    internal bool IsResumable => SSL_SESSION_is_resumable(Handle) == 1;

    internal SslSession Copy() => new(SSL_SESSION_dup(Handle));

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial void SSL_SESSION_free(nint session);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial nint SSL_SESSION_dup(nint session);

    [LibraryImport(OpenSslLibrary.Ssl)]
    private static partial int SSL_SESSION_is_resumable(nint session);
}
