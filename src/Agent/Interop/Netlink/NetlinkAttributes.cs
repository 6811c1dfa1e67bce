using System.Buffers.Binary;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>Walks attributes (struct rtattr of rtnetlink(7)). Stops at the first that cannot be one.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> attributes)
{
    public const int HeaderBytes = 4;
    private const ushort TypeMask = 0x3fff;

    private ReadOnlySpan<byte> _rest = attributes;

    /// <summary>The type of the present attribute, without the flags for nesting and byte order.</summary>
    public ushort Type { get; private set; }

    /// <summary>The value of the present attribute.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The value as a number of this host; 0 when it is none.</summary>
    public readonly uint Number => Value.Length >= sizeof(uint) ? BinaryPrimitives.ReadUInt32LittleEndian(Value) : 0;

    /// <summary>The value as an address; null when it is none.</summary>
    public readonly IpAddress? Address => Value.Length is 4 or 16 ? IpAddress.FromBytes(Value) : null;

    public bool MoveNext()
    {
        if (_rest.Length < HeaderBytes)
            return false;
        var length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        if (length < HeaderBytes || length > _rest.Length)
            return false;
        Type = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]) & TypeMask);
        Value = _rest[HeaderBytes..length];
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }
}
