using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace LoadHarness.TestKit.Targets;

/// <summary>A target that notes how each of its connections ended, in the order in which it accepted them.</summary>
public sealed class WatchfulTarget : IDisposable
{
    private readonly Socket _listener;
    private readonly byte[] _greeting;
    private readonly bool _closes;
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<int, ConnectionEnd> _ends = new();
    private int _accepted;

    private WatchfulTarget(Socket listener, byte[] greeting, bool closes) => (_listener, _greeting, _closes) = (listener, greeting, closes);

    /// <summary>Where it is.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>How many it has accepted.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>How those ended that have, by their number from 0 in the order of acceptance.</summary>
    public IReadOnlyDictionary<int, ConnectionEnd> Ends => _ends;

    /// <summary>How many ended in a way.</summary>
    public int Count(ConnectionEnd end) => _ends.Values.Count(e => e == end);

    /// <summary>Starts one.</summary>
    /// <param name="address">Where.</param>
    /// <param name="greetingBytes">How much it sends to everybody who connects, unasked.</param>
    /// <param name="closes">Whether it closes when the other side has; otherwise it never does.</param>
    public static WatchfulTarget Start(IPAddress address, int greetingBytes = 0, bool closes = true)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(address, 0));
        listener.Listen(4096);
        var target = new WatchfulTarget(listener, new byte[greetingBytes], closes);
        _ = target.AcceptAsync();
        return target;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var end = _end.Token;
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(end);
                _ = ServeAsync(socket, Interlocked.Increment(ref _accepted) - 1, end);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket socket, int number, CancellationToken end)
    {
        using (socket)
        {
            try
            {
                if (_greeting.Length > 0)
                    await socket.SendAsync(_greeting, end);
                while (await socket.ReceiveAsync(new byte[1000], end) > 0)
                {
                    // Whatever it is.
                }

                _ends[number] = ConnectionEnd.Fin;
                while (!_closes)
                {
                    // The RST after a FIN is an error that no receive reports any more.
                    if ((int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! != 0 || socket.Poll(0, SelectMode.SelectError))
                    {
                        _ends[number] = ConnectionEnd.FinThenReset;
                        break;
                    }

                    await Task.Delay(20, end);
                }
            }
            catch (SocketException)
            {
                _ends[number] = ConnectionEnd.Reset;
            }
            catch (OperationCanceledException)
            {
                // The test has ended.
            }
        }
    }
}

/// <summary>How a connection ended, as its target sees it.</summary>
public enum ConnectionEnd
{
    /// <summary>The other side closed in order.</summary>
    Fin,

    /// <summary>The other side reset.</summary>
    Reset,

    /// <summary>The other side closed, and reset when it had waited in vain for this one.</summary>
    FinThenReset,
}
