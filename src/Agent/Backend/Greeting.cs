using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Backend;

/// <summary>The byte that tells the other end that it was accepted.</summary>
internal static unsafe class Greeting
{
    /// <summary>Sends it.</summary>
    /// <returns>Bytes sent: 1, or 0 when the peer is gone already.</returns>
    public static long Send(int fd)
    {
        var greeting = (byte)'.';
        var sent = Sockets.Send(fd, &greeting, 1);
        return sent.Ok ? sent.Value : 0;
    }
}
