using System.Buffers.Binary;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>Questions and changes by rtnetlink(7), in the network namespace of the thread that opened it. Used by one thread at a time.</summary>
internal sealed class RouteNetlink : IDisposable
{
    private const ushort NlmsgError = 2;
    private const ushort NlmsgDone = 3;
    private const ushort FlagRequest = 0x1;
    private const ushort FlagAck = 0x4;
    private const ushort FlagDumpInterrupted = 0x10;
    private const ushort FlagsDump = 0x300; // NLM_F_ROOT | NLM_F_MATCH
    private const int AnswerTimeoutSeconds = 10;
    private const int BufferBytes = 1 << 16;
    private const int Attempts = 5;

    private readonly NetlinkSocket _socket;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
    private uint _sequence;

    private RouteNetlink(NetlinkSocket socket) => _socket = socket;

    /// <summary>Is shown each message of an answer.</summary>
    /// <param name="type">RTM_...</param>
    /// <param name="body">What follows the header; good for this call only.</param>
    public delegate void Visitor(ushort type, ReadOnlySpan<byte> body);

    /// <summary>Opens a socket.</summary>
    /// <param name="netlink">Null when the call failed.</param>
    public static SysResult Open(out RouteNetlink? netlink)
    {
        var opened = NetlinkSocket.OpenRoute(AnswerTimeoutSeconds, out var socket);
        netlink = opened.Ok ? new(socket!) : null;
        return opened;
    }

    /// <summary>Shows everything of one kind.</summary>
    /// <param name="type">RTM_GET...</param>
    /// <param name="family">AF_INET, AF_INET6 or 0 for both.</param>
    /// <param name="restart">What was shown so far does not hold: the table changed meanwhile.</param>
    /// <param name="visitor">Is shown the messages.</param>
    /// <returns>EINTR when the table changed under each attempt.</returns>
    public SysResult Dump(ushort type, byte family, Action restart, Visitor visitor)
    {
        // struct rtgenmsg, padded to the largest header that the kernel may look for (struct ifinfomsg).
        Span<byte> body = stackalloc byte[16];
        body.Clear();
        body[0] = family;
        var result = SysResult.Failed(Libc.Errno.EINTR);
        for (var attempt = 0; attempt < Attempts && result.Errno == Libc.Errno.EINTR; attempt++)
        {
            restart();
            var sent = Send(type, FlagsDump, body);
            result = sent.Ok ? ReadAnswer(visitor) : sent;
        }

        return result;
    }

    /// <summary>Asks for one change and waits for what the kernel says to it.</summary>
    /// <param name="type">RTM_NEW... or RTM_DEL...</param>
    /// <param name="flags">NLM_F_CREATE, NLM_F_EXCL.</param>
    /// <param name="body">The message without its header.</param>
    public SysResult Change(ushort type, ushort flags, ReadOnlySpan<byte> body)
    {
        var sent = Send(type, (ushort)(flags | FlagAck), body);
        return sent.Ok ? ReadAnswer(static (_, _) => { }) : sent;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private SysResult Send(ushort type, ushort flags, ReadOnlySpan<byte> body)
    {
        Span<byte> request = stackalloc byte[NetlinkMessages.HeaderBytes + body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(request, request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], (ushort)(flags | FlagRequest));
        BinaryPrimitives.WriteUInt32LittleEndian(request[8..], ++_sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(request[12..], 0);
        body.CopyTo(request[NetlinkMessages.HeaderBytes..]);
        return _socket.Send(request);
    }

    private SysResult ReadAnswer(Visitor visitor)
    {
        var interrupted = false;
        while (true)
        {
            var received = _socket.Receive(_buffer);
            if (!received.Ok)
                return received;
            if (received.Value > _buffer.Length)
                return SysResult.Failed(Libc.Errno.EMSGSIZE);
            var messages = new NetlinkMessages(_buffer.AsSpan(0, (int)received.Value));
            while (messages.MoveNext())
            {
                interrupted |= (messages.Flags & FlagDumpInterrupted) != 0;
                if (messages.Type is NlmsgDone or NlmsgError)
                    return End(messages.Body, interrupted);
                visitor(messages.Type, messages.Body);
            }
        }
    }

    // Both begin with a negated errno, or 0.
    private static SysResult End(ReadOnlySpan<byte> body, bool interrupted)
    {
        var error = body.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(body) : -Libc.Errno.EPROTO;
        return error < 0 ? SysResult.Failed(-error) : interrupted ? SysResult.Failed(Libc.Errno.EINTR) : SysResult.Of(0);
    }
}
