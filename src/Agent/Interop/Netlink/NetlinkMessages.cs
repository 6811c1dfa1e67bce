using System.Buffers.Binary;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>Walks the messages of one datagram (struct nlmsghdr of netlink(7)). Stops at the first that cannot be one.</summary>
internal ref struct NetlinkMessages(ReadOnlySpan<byte> datagram)
{
    public const int HeaderBytes = 16;

    private ReadOnlySpan<byte> _rest = datagram;

    /// <summary>nlmsg_type of the present message.</summary>
    public ushort Type { get; private set; }

    /// <summary>nlmsg_flags of the present message.</summary>
    public ushort Flags { get; private set; }

    /// <summary>What follows the header of the present message.</summary>
    public ReadOnlySpan<byte> Body { get; private set; }

    public bool MoveNext()
    {
        if (_rest.Length < HeaderBytes)
            return false;
        var length = BinaryPrimitives.ReadInt32LittleEndian(_rest);
        if (length < HeaderBytes || length > _rest.Length)
            return false;
        Type = BinaryPrimitives.ReadUInt16LittleEndian(_rest[4..]);
        Flags = BinaryPrimitives.ReadUInt16LittleEndian(_rest[6..]);
        Body = _rest[HeaderBytes..length];
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }
}
