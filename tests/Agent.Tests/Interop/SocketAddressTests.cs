using System.Net;
using CsCheck;
using LoadHarness.Protos;
using SocketAddress = LoadHarness.Agent.Interop.Libc.SocketAddress;

namespace LoadHarness.Agent.Tests.Interop;

public sealed unsafe class SocketAddressTests
{
    private static readonly Gen<(IpAddress Address, int Port)> _endpoint = Gen.Select(
        Gen.OneOf(
            Gen.UInt.Select(value => new IpAddress(false, value)),
            Gen.Select(Gen.ULong, Gen.ULong, (high, low) => new IpAddress(true, new UInt128(high, low)))),
        Gen.Int[0, 65535]);

    [Test]
    public void Create_AnyEndpoint_HasTheBytesThatTheFrameworkWouldSend() =>
        _endpoint.Sample((address, port) =>
        {
            var ours = new SocketAddress(address, port);
            var theirs = new IPEndPoint(address.ToIPAddress(), port).Serialize();
            return new ReadOnlySpan<byte>(&ours, ours.Length).SequenceEqual(theirs.Buffer.Span[..theirs.Size]) && theirs.Size == ours.Length;
        });

    [Test]
    public void AddressAndPort_AnyEndpoint_ComeBack() =>
        _endpoint.Sample((address, port) => new SocketAddress(address, port) is var made && made.Address == address && made.Port == port);

    [Test]
    public void Port_SetLater_LeavesTheAddress() =>
        Gen.Select(_endpoint, Gen.Int[0, 65535]).Sample((endpoint, port) =>
        {
            var made = new SocketAddress(endpoint.Address, endpoint.Port);
            made.Port = port;
            return made.Address == endpoint.Address && made.Port == port;
        });
}
