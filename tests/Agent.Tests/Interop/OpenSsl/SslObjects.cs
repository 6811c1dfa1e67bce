using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Tests.Interop.OpenSsl;

/// <summary>Counts the SSL objects of this process, as OpenSSL itself tells of each that is made and freed (CRYPTO_get_ex_new_index(3)).</summary>
internal static unsafe partial class SslObjects
{
    private const int ClassOfSsl = 0;

    private static int _living;
    private static bool _counting;

    /// <summary>How many live, of those that were made since the first call.</summary>
    public static int Living
    {
        get
        {
            if (!_counting)
                Assert.That(CRYPTO_get_ex_new_index(ClassOfSsl, 0, 0, &Made, null, &Freed), Is.Not.Negative);
            _counting = true;
            return Volatile.Read(ref _living);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Made(nint parent, nint pointer, nint data, int index, nint number, nint argument)
    {
        Interlocked.Increment(ref _living);
        // Marked: of those that were made earlier OpenSSL tells the end too.
        _ = CRYPTO_set_ex_data(data, index, 1);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Freed(nint parent, nint pointer, nint data, int index, nint number, nint argument)
    {
        if (pointer != 0)
            Interlocked.Decrement(ref _living);
    }

    [LibraryImport("libcrypto.so.3")]
    private static partial int CRYPTO_set_ex_data(nint data, int index, nint value);

    [LibraryImport("libcrypto.so.3")]
    private static partial int CRYPTO_get_ex_new_index(
        int objectClass, nint number, nint argument, delegate* unmanaged[Cdecl]<nint, nint, nint, int, nint, nint, void> made, void* copied,
        delegate* unmanaged[Cdecl]<nint, nint, nint, int, nint, nint, void> freed);
}
