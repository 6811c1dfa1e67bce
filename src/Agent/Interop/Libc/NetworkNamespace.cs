using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>SO_NETNS_COOKIE (socket(7), kernel 5.14): a number that no other network namespace has had since boot.</summary>
public static unsafe partial class NetworkNamespace
{
    private const int SolSocket = 1;
    private const int SoNetnsCookie = 71;

    /// <summary>The cookie of the calling thread's namespace.</summary>
    public static SysResult Cookie()
    {
        var opened = Sockets.Create(SocketAddress.AfInet);
        if (!opened.Ok)
            return opened;
        // Cookies count up from 1, so that one always fits the sign.
        long cookie = 0;
        var length = sizeof(long);
        var result = SysResult.Of(getsockopt((int)opened.Value, SolSocket, SoNetnsCookie, &cookie, &length));
        Sockets.Close((int)opened.Value);
        return result.Ok ? SysResult.Of(cookie) : result;
    }

    [LibraryImport("libc")]
    private static partial int getsockopt(int fd, int level, int option, void* value, int* length);
}
