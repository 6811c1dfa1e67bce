using CsCheck;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Safety;

/// <summary>The look before each connect() follows the same rules as the look at a whole assignment.</summary>
public sealed class AllowTableTests
{
    private static readonly string[] _entries =
    [
        "127.0.0.0/8", "10.0.0.0/8", "10.0.0.0/30:443", "10.0.0.2:80,8000-8010", "0.0.0.0/0", "255.255.255.255", "169.254.169.254", "224.0.0.0/4:443",
        "::/0", "::1", "[2001:db8::]/32:443", "fe80::/10", "[2001:db8::5]:80", "ffff::/16", "::ffff:10.0.0.0/104", "[64:ff9b::10.0.0.0]/120:443",
    ];

    private static readonly string[] _addresses =
    [
        "127.0.0.1", "10.0.0.0", "10.0.0.2", "10.0.0.3", "10.0.0.4", "9.255.255.255", "11.0.0.0", "0.0.0.0", "255.255.255.255", "255.255.255.254",
        "169.254.169.254", "169.254.169.253", "224.0.0.1", "::", "::1", "::2", "2001:db8::5", "2001:db9::", "fe80::1", "fec0::", "ff02::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.0.0.2", "::ffff:127.0.0.1", "64:ff9b::10.0.0.2", "64:ff9b::127.0.0.1", "64:ff9b::11.0.0.1",
    ];

    private static readonly int[] _ports = [1, 79, 80, 443, 444, 8000, 8010, 8011, 65535];

    [Test]
    public void Allows_AnyListAndAddress_AgreesWithTheList() =>
        Gen.Select(OneOf(_entries).Array[0, 5], OneOf(_addresses), OneOf(_ports)).Sample((entries, text, port) =>
        {
            Assert.That(AllowList.TryParse(entries, out var list, out var errors), Is.True, string.Join("; ", errors));
            var address = IpAddress.FromBytes(System.Net.IPAddress.Parse(text).GetAddressBytes());

            return list!.ToTable().Allows(new SocketAddress(address, port)) == list.Allows(address, port, out _);
        }, iter: 20_000);

    [Test]
    public void Allows_AskedOften_AllocatesNothing()
    {
        AllowList.TryParse(_entries, out var list, out _);
        var table = list!.ToTable();
        var address = new SocketAddress(IpAddress.From(System.Net.IPAddress.Parse("2001:db8::5")), 80);
        var allowed = table.Allows(address);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 10_000; i++)
            allowed &= table.Allows(address);

        Assert.That((allowed, GC.GetAllocatedBytesForCurrentThread() - before), Is.EqualTo((true, 0L)));
    }

    private static Gen<T> OneOf<T>(T[] items) => Gen.Int[0, items.Length - 1].Select(i => items[i]);
}
