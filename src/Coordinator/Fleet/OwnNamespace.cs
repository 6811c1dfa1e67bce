using System.Globalization;
using System.Net.Sockets;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>Names the network namespace that the coordinator lives in, as agents name theirs; see inventory.proto.</summary>
public static class OwnNamespace
{
    private const int SolSocket = 1;

    // socket(7), kernel 5.14
    private const int SoNetnsCookie = 71;

    /// <summary>The boot id with the namespace's cookie, or with its inode where the kernel has no cookies.</summary>
    public static string Read()
    {
        var boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        return $"{boot}/{Cookie() ?? new FileInfo("/proc/self/ns/net").LinkTarget ?? "net"}";
    }

    private static string? Cookie()
    {
        Span<byte> cookie = stackalloc byte[sizeof(ulong)];
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.GetRawSocketOption(SolSocket, SoNetnsCookie, cookie);
            return BitConverter.ToUInt64(cookie).ToString(CultureInfo.InvariantCulture);
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
