using System.Net;
using System.Net.Sockets;

namespace LoadHarness.Agent.Cli;

/// <summary>
/// Opens what the runtime opens on first use. A reactor copies the descriptor table when it starts: what the runtime opened
/// before is the same descriptor in both tables; what it first opened later, asked for by a reactor or not, would not be.
/// </summary>
internal static class RuntimeWarmUp
{
    // Two per processor is what the pool starts with; blocked workers must not keep heartbeats from being sent.
    private const int PoolThreads = 16;

    /// <summary>Call it on the main thread, after the signal handlers were registered and before the first reactor.</summary>
    public static void Touch()
    {
        ThreadPool.SetMinThreads(PoolThreads, PoolThreads);
        Console.Error.Flush();
        Console.Out.Flush();
        _ = Guid.NewGuid();
        TouchSocketEngine();
    }

    /// <summary>A receive that has to wait starts the epoll set and the thread of the framework's sockets.</summary>
    private static void TouchSocketEngine()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var waiting = socket.ReceiveAsync(new byte[1]);
        socket.Close();
        waiting.ContinueWith(static task => task.Exception, TaskScheduler.Default).Wait();
    }
}
