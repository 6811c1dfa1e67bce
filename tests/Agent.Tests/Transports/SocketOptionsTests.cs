using System.Net.Sockets;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Tests.Transports;

/// <summary>What the kernel says of a socket afterwards.</summary>
public sealed class SocketOptionsTests
{
    // asm-generic/socket.h and linux/tcp.h.
    private static readonly (int Level, int Option) _sendBuffer = (1, 7);
    private static readonly (int Level, int Option) _receiveBuffer = (1, 8);
    private static readonly (int Level, int Option) _keepAlive = (1, 9);
    private static readonly (int Level, int Option) _noDelay = (6, 1);
    private static readonly (int Level, int Option) _keepIdle = (6, 4);
    private static readonly (int Level, int Option) _keepInterval = (6, 5);
    private static readonly (int Level, int Option) _userTimeout = (6, 18);

    private Socket _socket = null!;

    [SetUp]
    public void MakeSocket() => _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    [TearDown]
    public void CloseSocket() => _socket.Dispose();

    [Test]
    public void Apply_All_TheKernelHasThem()
    {
        new SocketOptions { NoDelay = true, KeepAliveSeconds = 30, SendBuffer = 40_000, ReceiveBuffer = 50_000, UserTimeoutMillis = 7_000 }.Apply((int)_socket.Handle);

        Assert.Multiple(() =>
        {
            Assert.That((Read(_noDelay), Read(_keepAlive), Read(_keepIdle), Read(_keepInterval)), Is.EqualTo((1, 1, 30, 30)));
            Assert.That((Read(_sendBuffer), Read(_receiveBuffer)), Is.EqualTo((80_000, 100_000)), "socket(7): the kernel doubles them");
            Assert.That(Read(_userTimeout), Is.EqualTo(7_000));
        });
    }

    [Test]
    public void Apply_Nothing_LeavesThemAsTheKernelHasThem()
    {
        (int, int)[] all = [_noDelay, _keepAlive, _keepIdle, _keepInterval, _sendBuffer, _receiveBuffer, _userTimeout];
        var before = all.Select(Read).ToList();

        new SocketOptions().Apply((int)_socket.Handle);

        Assert.That(all.Select(Read), Is.EqualTo(before));
    }

    private int Read((int Level, int Option) option)
    {
        Span<byte> value = stackalloc byte[4];
        _socket.GetRawSocketOption(option.Level, option.Option, value);
        return BitConverter.ToInt32(value);
    }
}
