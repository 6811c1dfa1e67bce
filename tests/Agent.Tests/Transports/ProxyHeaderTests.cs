using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using CsCheck;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Transports;

public sealed class ProxyHeaderTests
{
    private static readonly Gen<IpAddress> _v4 = Gen.UInt.Select(value => new IpAddress(false, value));
    private static readonly Gen<IpAddress> _v6 = Gen.Select(Gen.ULong, Gen.ULong, (high, low) => new IpAddress(true, new UInt128(high, low)));

    [TestCase("192.0.2.1", "198.51.100.255", "PROXY TCP4 192.0.2.1 198.51.100.255 1 65535\r\n")]
    [TestCase("2001:db8::1", "::", "PROXY TCP6 2001:db8:0:0:0:0:0:1 0:0:0:0:0:0:0:0 1 65535\r\n")]
    [TestCase("192.0.2.1", "2001:db8::", "PROXY TCP6 0:0:0:0:0:ffff:c000:201 2001:db8:0:0:0:0:0:0 1 65535\r\n")]
    public void Write_V1_IsTheLineOfTheSpecification(string source, string destination, string line) =>
        Assert.That(Encoding.ASCII.GetString(Write(ProxyProtocol.V1, Address(source), 1, Address(destination), 65_535)), Is.EqualTo(line));

    [TestCase("192.0.2.1", "198.51.100.255", "0d0a0d0a000d0a515549540a2111000cc0000201c63364ff0001ffff")]
    [TestCase("2001:db8::1", "::2", "0d0a0d0a000d0a515549540a2121002420010db8000000000000000000000001000000000000000000000000000000020001ffff")]
    public void Write_V2_IsTheHeaderOfTheSpecification(string source, string destination, string hex) =>
        Assert.That(Convert.ToHexStringLower(Write(ProxyProtocol.V2, Address(source), 1, Address(destination), 65_535)), Is.EqualTo(hex));

    [Test]
    public void Write_AnyAddressesAndPorts_AreReadBackFromBothVersions() =>
        Gen.Select(Gen.OneOf(_v4, _v6), Gen.Int[1, 65_535], Gen.OneOf(_v4, _v6), Gen.Int[1, 65_535]).Sample((source, sourcePort, destination, destinationPort) =>
        {
            var wanted = (source, sourcePort, destination, destinationPort);

            return ReadText(Write(ProxyProtocol.V1, source, sourcePort, destination, destinationPort)) == wanted
                && ReadBinary(Write(ProxyProtocol.V2, source, sourcePort, destination, destinationPort)) == wanted;
        });

    [Test]
    public void Write_TheLongest_Fits()
    {
        var longest = new IpAddress(true, UInt128.MaxValue);

        Assert.That(Write(ProxyProtocol.V1, longest, 65_535, longest, 65_535), Has.Length.EqualTo(ProxyHeader.Longest));
    }

    [Test]
    public void Write_InSteadyState_AllocatesNothing()
    {
        var buffer = new byte[ProxyHeader.Longest];
        var (v4, v6) = (Address("192.0.2.1"), Address("2001:db8::1"));
        var before = 0L;
        for (var i = 0; i < 2000; i++)
        {
            if (i == 1000)
                before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var version in (ReadOnlySpan<ProxyProtocol>)[ProxyProtocol.V1, ProxyProtocol.V2])
            {
                ProxyHeader.Write(buffer, version, v4, 1, v4, 2);
                ProxyHeader.Write(buffer, version, v6, 1, v4, 2);
            }
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static IpAddress Address(string text) => IpAddress.From(IPAddress.Parse(text));

    private static byte[] Write(ProxyProtocol version, IpAddress source, int sourcePort, IpAddress destination, int destinationPort)
    {
        var buffer = new byte[ProxyHeader.Longest];
        return buffer[..ProxyHeader.Write(buffer, version, source, sourcePort, destination, destinationPort)];
    }

    private static (IpAddress, int, IpAddress, int) ReadText(byte[] header)
    {
        var words = Encoding.ASCII.GetString(header).TrimEnd('\r', '\n').Split(' ');
        return (Address(words[2]), Port(words[4]), Address(words[3]), Port(words[5]));
    }

    private static int Port(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static (IpAddress, int, IpAddress, int) ReadBinary(byte[] header)
    {
        var size = header[13] == 0x11 ? 4 : 16;
        var ports = header.AsSpan(16 + (2 * size));
        return (
            IpAddress.From(new IPAddress(header.AsSpan(16, size))), BinaryPrimitives.ReadUInt16BigEndian(ports),
            IpAddress.From(new IPAddress(header.AsSpan(16 + size, size))), BinaryPrimitives.ReadUInt16BigEndian(ports[2..]));
    }
}
