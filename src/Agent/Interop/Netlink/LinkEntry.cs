using System.Buffers.Binary;
using System.Text;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>A network device, as RTM_GETLINK tells it.</summary>
/// <param name="Index">Its number in this namespace.</param>
/// <param name="Name">As in `ip link`.</param>
/// <param name="HardwareType">ARPHRD_...</param>
/// <param name="Flags">IFF_...</param>
/// <param name="HardwareAddress">Empty when it has none.</param>
internal sealed record LinkEntry(int Index, string Name, int HardwareType, uint Flags, byte[] HardwareAddress)
{
    private const ushort RtmNewLink = 16;
    private const ushort RtmGetLink = 18;
    private const int InfoBytes = 16; // struct ifinfomsg
    private const ushort IflaAddress = 1;
    private const ushort IflaIfName = 3;
    private const int ArphrdEther = 1;
    private const uint IffUp = 0x1;
    private const uint IffLoopback = 0x8;
    private const uint IffNoArp = 0x80;

    /// <summary>Whether it is up.</summary>
    public bool IsUp => (Flags & IffUp) != 0;

    /// <summary>Whether other hosts may answer for an IPv4 address behind it: then they can be asked by ARP.</summary>
    public bool SpeaksArp => HardwareType == ArphrdEther && (Flags & (IffLoopback | IffNoArp)) == 0 && HardwareAddress.Length == 6;

    /// <summary>All devices, by name.</summary>
    public static SysResult Read(RouteNetlink netlink, out Dictionary<string, LinkEntry> links)
    {
        var found = new Dictionary<string, LinkEntry>(StringComparer.Ordinal);
        links = found;
        return netlink.Dump(RtmGetLink, 0, found.Clear, (type, body) =>
        {
            if (type == RtmNewLink && body.Length >= InfoBytes && Of(body) is { } link)
                found[link.Name] = link;
        });
    }

    private static LinkEntry Of(ReadOnlySpan<byte> body)
    {
        var (name, hardware) = ("", Array.Empty<byte>());
        var attributes = new NetlinkAttributes(body[InfoBytes..]);
        while (attributes.MoveNext())
        {
            if (attributes.Type == IflaIfName)
                name = Encoding.UTF8.GetString(attributes.Value.TrimEnd((byte)0));
            else if (attributes.Type == IflaAddress)
                hardware = attributes.Value.ToArray();
        }

        return new(
            BinaryPrimitives.ReadInt32LittleEndian(body[4..]),
            name,
            BinaryPrimitives.ReadUInt16LittleEndian(body[2..]),
            BinaryPrimitives.ReadUInt32LittleEndian(body[8..]),
            hardware);
    }
}
