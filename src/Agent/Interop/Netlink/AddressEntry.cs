using System.Buffers.Binary;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>An address of a network device, as RTM_GETADDR tells it.</summary>
/// <param name="Address">IFA_LOCAL, or IFA_ADDRESS where there is no other end.</param>
/// <param name="PrefixLength">Of the network that the host takes to be on the link.</param>
/// <param name="Device">The number of its device.</param>
/// <param name="Flags">IFA_F_...</param>
/// <param name="Broadcast">IFA_BROADCAST; null when there is none.</param>
/// <param name="Origin">IFA_PROTO, who added it; 0 when nobody says (kernels before 5.18 never do).</param>
internal readonly record struct AddressEntry(
    IpAddress Address, int PrefixLength, int Device, uint Flags, IpAddress? Broadcast, byte Origin)
{
    /// <summary>What <see cref="Add"/> writes into IFA_PROTO: nobody else uses this number.</summary>
    public const byte OurOrigin = 0x4c;

    private const ushort RtmNewAddress = 20;
    private const ushort RtmDeleteAddress = 21;
    private const ushort RtmGetAddress = 22;
    private const ushort FlagExclusive = 0x200;
    private const ushort FlagCreate = 0x400;
    private const int MessageBytes = 8; // struct ifaddrmsg
    private const ushort IfaAddress = 1;
    private const ushort IfaLocal = 2;
    private const ushort IfaBroadcast = 4;
    private const ushort IfaCacheInfo = 6;
    private const ushort IfaFlags = 8;
    private const ushort IfaProto = 11;
    private const uint FlagDadFailed = 0x8;
    private const uint FlagDeprecated = 0x20;
    private const uint FlagTentative = 0x40;
    private const uint FlagNoPrefixRoute = 0x200;

    /// <summary>Whether the kernel still asks the link if another host has it (RFC 4862): it cannot be bound yet.</summary>
    public bool IsTentative => (Flags & FlagTentative) != 0;

    /// <summary>Whether another host has it.</summary>
    public bool IsDuplicate => (Flags & FlagDadFailed) != 0;

    /// <summary>Whether it looks as <see cref="Add"/> leaves it.</summary>
    public bool LooksOurs => PrefixLength == (Address.IsV6 ? 128 : 32) && Origin is OurOrigin or 0
        && (Flags & (FlagDeprecated | FlagNoPrefixRoute)) == (FlagDeprecated | FlagNoPrefixRoute);

    /// <summary>All addresses of this namespace.</summary>
    public static SysResult Read(RouteNetlink netlink, out List<AddressEntry> addresses)
    {
        var found = new List<AddressEntry>();
        addresses = found;
        return netlink.Dump(RtmGetAddress, 0, found.Clear, (type, body) =>
        {
            if (type == RtmNewAddress && body.Length >= MessageBytes && Of(body) is { } entry)
                found.Add(entry);
        });
    }

    /// <summary>
    /// Adds an address that changes no route and that the kernel chooses for nobody: alone in its network, without a prefix route, deprecated.
    /// </summary>
    /// <returns>EEXIST when the device has it.</returns>
    public static SysResult Add(RouteNetlink netlink, IpAddress address, int device) =>
        netlink.Change(RtmNewAddress, FlagCreate | FlagExclusive, Message(address, device, isNew: true));

    /// <summary>Removes an address of full prefix length.</summary>
    /// <returns>EADDRNOTAVAIL when the device does not have it.</returns>
    public static SysResult Remove(RouteNetlink netlink, IpAddress address, int device) =>
        netlink.Change(RtmDeleteAddress, 0, Message(address, device, isNew: false));

    private static byte[] Message(IpAddress address, int device, bool isNew)
    {
        var bytes = address.ToBytes();
        using var message = new MemoryStream();
        message.Write([(byte)(address.IsV6 ? Libc.SocketAddress.AfInet6 : Libc.SocketAddress.AfInet), (byte)(bytes.Length * 8), 0, 0]);
        message.Write(BitConverter.GetBytes(device));
        Append(message, IfaLocal, bytes);
        Append(message, IfaAddress, bytes);
        if (isNew)
        {
            Append(message, IfaFlags, BitConverter.GetBytes(FlagNoPrefixRoute));
            // struct ifa_cacheinfo: preferred for 0 s, valid for ever, two times that only answers carry.
            Append(message, IfaCacheInfo, [.. BitConverter.GetBytes(0u), .. BitConverter.GetBytes(uint.MaxValue), .. new byte[8]]);
            Append(message, IfaProto, [OurOrigin]);
        }

        return message.ToArray();
    }

    private static void Append(MemoryStream message, ushort type, ReadOnlySpan<byte> value)
    {
        message.Write(BitConverter.GetBytes((ushort)(NetlinkAttributes.HeaderBytes + value.Length)));
        message.Write(BitConverter.GetBytes(type));
        message.Write(value);
        while (message.Length % 4 != 0)
            message.WriteByte(0);
    }

    private static AddressEntry? Of(ReadOnlySpan<byte> body)
    {
        IpAddress? address = null, local = null, broadcast = null;
        uint flags = body[2];
        byte origin = 0;
        var attributes = new NetlinkAttributes(body[MessageBytes..]);
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case IfaAddress:
                    address = attributes.Address;
                    break;
                case IfaLocal:
                    local = attributes.Address;
                    break;
                case IfaBroadcast:
                    broadcast = attributes.Address;
                    break;
                case IfaFlags:
                    flags = attributes.Number;
                    break;
                case IfaProto when attributes.Value.Length > 0:
                    origin = attributes.Value[0];
                    break;
            }
        }

        return (local ?? address) is { } own
            ? new(own, body[1], BinaryPrimitives.ReadInt32LittleEndian(body[4..]), flags, broadcast, origin)
            : null;
    }
}
