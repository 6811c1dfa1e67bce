using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.OpenSsl;

/// <summary>Reads PEM out of memory (PEM_read_bio_X509(3)): keys never touch a disk.</summary>
internal sealed unsafe partial class PemReader : IDisposable
{
    private readonly GCHandle _pinned;
    private readonly nint _bio;

    public PemReader(ReadOnlySpan<byte> pem)
    {
        var bytes = pem.ToArray();
        _pinned = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        _bio = BIO_new_mem_buf(_pinned.AddrOfPinnedObject(), bytes.Length);
    }

    /// <summary>Whether the last certificate asked for was missing since there are no more, and not since it was broken.</summary>
    public bool IsAtEnd { get; private set; }

    public static void FreeKey(nint key) => EVP_PKEY_free(key);

    /// <summary>The next certificate; none when there is none, or it is broken.</summary>
    public X509 NextCertificate()
    {
        TlsErrors.Clear();
        var certificate = PEM_read_bio_X509(_bio, 0, 0, 0);
        IsAtEnd = certificate == 0 && TlsErrors.IsNoStartLine;
        if (IsAtEnd)
            TlsErrors.Clear();
        return new X509(certificate);
    }

    /// <summary>The key; 0 when there is none. An encrypted one is none: a callback that gives no passphrase keeps OpenSSL from asking the terminal.</summary>
    public nint Key()
    {
        TlsErrors.Clear();
        return PEM_read_bio_PrivateKey(_bio, 0, &NoPassphrase, 0);
    }

    public void Dispose()
    {
        BIO_free(_bio);
        Array.Clear((byte[])_pinned.Target!);
        _pinned.Free();
    }

    [UnmanagedCallersOnly]
    private static int NoPassphrase(byte* buffer, int size, int writes, nint data) => -1;

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial nint BIO_new_mem_buf(nint bytes, int length);

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial int BIO_free(nint bio);

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial nint PEM_read_bio_X509(nint bio, nint into, nint callback, nint data);

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial nint PEM_read_bio_PrivateKey(nint bio, nint into, delegate* unmanaged<byte*, int, int, nint, int> callback, nint data);

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial void EVP_PKEY_free(nint key);
}

/// <summary>A certificate of OpenSSL.</summary>
internal readonly partial struct X509(nint handle)
{
    public bool Exists => handle != 0;

    public nint Handle => handle;

    public void Free() => X509_free(handle);

    [LibraryImport(OpenSslLibrary.Crypto)]
    private static partial void X509_free(nint certificate);
}
