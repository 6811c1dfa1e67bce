using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;

namespace LoadHarness.Coordinator.Security;

/// <summary>Who is at the other end of a Unix socket, as the kernel knows it (SO_PEERCRED, unix(7)).</summary>
/// <param name="ProcessId">At the time of connect().</param>
/// <param name="UserId">Its effective user id then.</param>
public readonly record struct PeerCredentials(int ProcessId, uint UserId)
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private const int UcredLength = 12;

    /// <summary>Asks the kernel about a connected Unix socket.</summary>
    /// <exception cref="SocketException">The socket is none, or not connected.</exception>
    public static PeerCredentials Of(Socket socket)
    {
        // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
        Span<byte> ucred = stackalloc byte[UcredLength];
        if (socket.GetRawSocketOption(SolSocket, SoPeerCred, ucred) != UcredLength)
            throw new SocketException((int)SocketError.ProtocolOption);
        var values = ucred;
        return BitConverter.IsLittleEndian
            ? new(BinaryPrimitives.ReadInt32LittleEndian(values), BinaryPrimitives.ReadUInt32LittleEndian(values[4..]))
            : new(BinaryPrimitives.ReadInt32BigEndian(values), BinaryPrimitives.ReadUInt32BigEndian(values[4..]));
    }

    /// <summary>Whether a peer may talk to a process of user <paramref name="own"/>: the same user, or root.</summary>
    public bool MayTalkTo(uint own) => UserId == own || UserId == 0;

    /// <summary>The effective user id of this process (/proc/self/status, proc(5)).</summary>
    public static uint OwnUserId()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            // Uid: real, effective, saved set, file system
            if (line.StartsWith("Uid:", StringComparison.Ordinal))
                return uint.Parse(line.Split('\t', StringSplitOptions.RemoveEmptyEntries)[2], CultureInfo.InvariantCulture);
        }

        throw new InvalidOperationException("/proc/self/status has no line `Uid:`");
    }
}
