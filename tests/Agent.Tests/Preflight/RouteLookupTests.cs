using System.Net;
using LoadHarness.Agent.Preflight;
using LoadHarness.Protos;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.Agent.Tests.Preflight;

public sealed class RouteLookupTests
{
    [TestCase("127.0.0.1", "127.0.0.1")]
    [TestCase("::1", "::1")]
    [TestCase("::ffff:127.0.0.1", "::ffff:127.0.0.1")]
    public void SourceOf_ThisHost_IsOfTheSameForm(string destination, string source) => Assert.That(SourceOf(destination), Is.EqualTo(source));

    [TestCase("255.255.255.255")]
    [TestCase("fe80::1")]
    public void SourceOf_NoRoute_IsNull(string destination) => Assert.That(SourceOf(destination), Is.Null);

    [Test]
    public void SourceOf_EachAddressOfThisHost_IsWhatTheKernelSays()
    {
        foreach (var address in InterfaceAddresses.Read().Where(a => !a.Address.IsV6).Select(a => a.Address.ToString()))
        {
            var words = Command.Run("ip", "-o", "route", "get", address).Split(' ', StringSplitOptions.RemoveEmptyEntries);

            Assert.That(SourceOf(address), Is.EqualTo(words[Array.IndexOf(words, "src") + 1]));
        }
    }

    private static string? SourceOf(string destination)
    {
        var source = RouteLookup.SourceOf(IpAddress.FromBytes(IPAddress.Parse(destination).GetAddressBytes()));
        return source is { } address ? new IPAddress(address.ToBytes()).ToString() : null;
    }
}
