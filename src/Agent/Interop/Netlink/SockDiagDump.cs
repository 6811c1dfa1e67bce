using System.Buffers.Binary;
using System.Runtime.InteropServices;
using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>
/// Dumps TCP sockets of IPv4 and IPv6 through NETLINK_SOCK_DIAG; see sock_diag(7) and linux/inet_diag.h. The request is the older of
/// two forms, struct inet_diag_req, because only that one covers both families with one walk through the kernel's table.
/// </summary>
public static class SockDiagDump
{
    private const int HeaderBytes = 16;
    private const int RequestBytes = 60;
    private const int StatesOffset = 52;
    private const int AttributeHeaderBytes = 4;
    private const int AnswerTimeoutSeconds = 10;

    // The kernel fills at most 32 KB per datagram of a dump.
    private const int BufferBytes = 64 * 1024;

    private const ushort NlmsgError = 2;
    private const ushort NlmsgDone = 3;
    private const ushort TcpDiagGetSock = 18;
    private const ushort FlagsDumpRequest = 0x301;
    private const ushort FlagDumpInterrupted = 0x10;
    private const ushort InetDiagReqBytecode = 1;

    /// <summary>The most bytecode that fits into the length field of one attribute.</summary>
    public const int MaxBytecodeBytes = ushort.MaxValue - AttributeHeaderBytes - 3;

    /// <summary>Shows every socket that matches to the visitor.</summary>
    /// <param name="stateMask">Bit n for the state numbered n.</param>
    /// <param name="bytecode">INET_DIAG_REQ_BYTECODE; empty for every socket.</param>
    /// <param name="visitor">Is shown the sockets. What it saw counts only if the result is Ok.</param>
    /// <returns>Failed with EINTR when the table changed so that the dump is not consistent: try again.</returns>
    public static SysResult Run<TVisitor>(uint stateMask, ReadOnlySpan<byte> bytecode, ref TVisitor visitor)
        where TVisitor : struct, ISocketVisitor
    {
        if (bytecode.Length > MaxBytecodeBytes)
            return SysResult.Failed(Errno.EMSGSIZE);
        var opened = NetlinkSocket.Open(AnswerTimeoutSeconds, out var socket);
        if (!opened.Ok)
            return opened;
        using (socket)
        {
            var sent = socket!.Send(Request(stateMask, bytecode));
            return sent.Ok ? ReadAll(socket, ref visitor) : sent;
        }
    }

    private static byte[] Request(uint stateMask, ReadOnlySpan<byte> bytecode)
    {
        var attribute = bytecode.IsEmpty ? 0 : AttributeHeaderBytes + bytecode.Length;
        var request = new byte[HeaderBytes + RequestBytes + ((attribute + 3) & ~3)];
        var header = request.AsSpan();
        BinaryPrimitives.WriteInt32LittleEndian(header, request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], TcpDiagGetSock);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], FlagsDumpRequest);
        var body = header[HeaderBytes..];
        BinaryPrimitives.WriteUInt32LittleEndian(body[StatesOffset..], stateMask);
        if (attribute > 0)
        {
            var filter = body[RequestBytes..];
            BinaryPrimitives.WriteUInt16LittleEndian(filter, (ushort)attribute);
            BinaryPrimitives.WriteUInt16LittleEndian(filter[2..], InetDiagReqBytecode);
            bytecode.CopyTo(filter[AttributeHeaderBytes..]);
        }

        return request;
    }

    private static SysResult ReadAll<TVisitor>(NetlinkSocket socket, ref TVisitor visitor)
        where TVisitor : struct, ISocketVisitor
    {
        var buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
        var interrupted = false;
        while (true)
        {
            var received = socket.Receive(buffer);
            if (!received.Ok)
                return received;
            if (received.Value > buffer.Length || received.Value < HeaderBytes)
                return SysResult.Failed(Errno.EMSGSIZE);
            if (ReadDatagram(buffer.AsSpan(0, (int)received.Value), ref visitor, ref interrupted) is { } end)
                return end.Ok && interrupted ? SysResult.Failed(Errno.EINTR) : end;
        }
    }

    /// <summary>Shows the messages of one datagram.</summary>
    /// <returns>How the dump ended; null while it goes on.</returns>
    private static SysResult? ReadDatagram<TVisitor>(ReadOnlySpan<byte> rest, ref TVisitor visitor, ref bool interrupted)
        where TVisitor : struct, ISocketVisitor
    {
        while (rest.Length >= HeaderBytes)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
            if (length < HeaderBytes || length > rest.Length)
                return SysResult.Failed(Errno.EPROTO);
            var type = BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]);
            interrupted |= (BinaryPrimitives.ReadUInt16LittleEndian(rest[6..]) & FlagDumpInterrupted) != 0;
            var body = rest[HeaderBytes..length];
            if (type is NlmsgDone or NlmsgError)
                return body.Length >= sizeof(int) ? End(BinaryPrimitives.ReadInt32LittleEndian(body)) : SysResult.Failed(Errno.EPROTO);
            if (type == TcpDiagGetSock)
            {
                if (body.Length < InetDiagMessage.ByteSize)
                    return SysResult.Failed(Errno.EPROTO);
                visitor.Visit(in MemoryMarshal.AsRef<InetDiagMessage>(body));
            }

            rest = rest[Math.Min((length + 3) & ~3, rest.Length)..];
        }

        return null;
    }

    /// <summary>NLMSG_DONE and NLMSG_ERROR both begin with a negated errno, or 0.</summary>
    private static SysResult End(int error) => error < 0 ? SysResult.Failed(-error) : SysResult.Of(0);
}
