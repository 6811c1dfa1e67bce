using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoadHarness.TestKit.Targets;

/// <summary>Answers HTTP requests without a body as it was told to, byte by byte what it was told.</summary>
public sealed class ScriptedTarget : IDisposable
{
    private readonly TcpListener _listener;
    private readonly Func<ScriptedRequest, ScriptedAnswer> _script;
    private readonly CancellationTokenSource _end = new();
    private readonly List<ScriptedRequest> _requests = [];
    private int _connections;

    /// <summary>Starts one.</summary>
    /// <param name="address">Where; the port is free.</param>
    /// <param name="script">What it answers.</param>
    public ScriptedTarget(IPAddress address, Func<ScriptedRequest, ScriptedAnswer> script)
        : this(address, 0, script)
    {
    }

    /// <summary>Starts one on a port.</summary>
    /// <param name="address">Where.</param>
    /// <param name="port">0 takes a free one.</param>
    /// <param name="script">What it answers.</param>
    public ScriptedTarget(IPAddress address, int port, Func<ScriptedRequest, ScriptedAnswer> script)
    {
        _script = script;
        _listener = new TcpListener(address, port);
        _listener.Start(4096);
        _ = AcceptAsync();
    }

    /// <summary>Where it is.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Requests so far, in the order of their arrival.</summary>
    public IReadOnlyList<ScriptedRequest> Requests
    {
        get { lock (_requests) return [.. _requests]; }
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
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptSocketAsync(_end.Token), _connections++);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(Socket socket, int connection)
    {
        using (socket)
        {
            try
            {
                var text = new StringBuilder();
                var buffer = new byte[4096];
                for (var number = 0; ; number++)
                {
                    while (!text.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
                    {
                        var read = await socket.ReceiveAsync(buffer, _end.Token);
                        if (read == 0)
                            return;
                        text.Append(Encoding.Latin1.GetString(buffer, 0, read));
                    }

                    var request = new ScriptedRequest(connection, number, text.ToString(), DateTime.UtcNow);
                    text.Clear();
                    lock (_requests)
                        _requests.Add(request);
                    if (!await AnswerAsync(socket, _script(request)))
                        return;
                }
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                // The other side has gone, or the test has.
            }
        }
    }

    private async Task<bool> AnswerAsync(Socket socket, ScriptedAnswer answer)
    {
        await Task.Delay(answer.After, _end.Token);
        var bytes = Encoding.Latin1.GetBytes(answer.Text);
        for (var sent = 0; sent < bytes.Length;)
            sent += await socket.SendAsync(bytes.AsMemory(sent), _end.Token);
        if (answer.Resets)
            socket.LingerState = new LingerOption(true, 0);
        return !answer.Closes && !answer.Resets;
    }
}

/// <summary>A request that has come.</summary>
/// <param name="Connection">0, 1, 2, ... in the order in which they were accepted.</param>
/// <param name="Number">0, 1, 2, ... on this connection.</param>
/// <param name="Text">All of it.</param>
/// <param name="At">When it had come.</param>
public sealed record ScriptedRequest(int Connection, int Number, string Text, DateTime At);

/// <summary>What is answered.</summary>
/// <param name="Text">In Latin-1.</param>
public sealed record ScriptedAnswer(string Text)
{
    /// <summary>A good answer.</summary>
    public static readonly ScriptedAnswer Ok = new("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n");

    /// <summary>How long it is waited before.</summary>
    public TimeSpan After { get; init; }

    /// <summary>Ends the connection behind it, by FIN.</summary>
    public bool Closes { get; init; }

    /// <summary>Ends the connection behind it, by RST.</summary>
    public bool Resets { get; init; }
}
