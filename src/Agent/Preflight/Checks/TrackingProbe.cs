using System.Net;
using System.Net.Sockets;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>
/// Whether the packets of this network namespace are tracked. The module being there says nothing: tracking begins with the first rule
/// that asks for it. So it is tried: where nothing is tracked, one datagram from a loopback socket to itself is sent, and counted or not.
/// </summary>
internal static class TrackingProbe
{
    /// <summary>Null when the kernel cannot track.</summary>
    public static bool? Run()
    {
        if (Count() is not { } before)
            return null;
        if (before == 0)
            SendToSelf();
        return Count() > 0;
    }

    private static long? Count() => ProcFile.ReadNumber(Sysctl.PathOf(Sysctl.TrackedCount));

    private static void SendToSelf()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            socket.SendTo(new byte[1], socket.LocalEndPoint!);
        }
        catch (SocketException)
        {
            // No loopback here: nothing to count.
        }
    }
}
