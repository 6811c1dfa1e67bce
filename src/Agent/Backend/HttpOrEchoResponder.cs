using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Backend;

/// <summary>HTTP for connections whose first byte is a capital letter, as that of a method is; echo for all others.</summary>
internal sealed unsafe class HttpOrEchoResponder : IResponder
{
    private readonly HttpResponder _http = new();
    private readonly EchoResponder _echo = new();
    private Kind* _kinds;
    private int _capacity;

    private enum Kind : byte
    {
        Unknown = 0,
        Http,
        Echo,
    }

    /// <inheritdoc/>
    public void Reserve(int capacity)
    {
        _capacity = capacity;
        _kinds = Memory.Reserve<Kind>(capacity);
        _http.Reserve(capacity);
        _echo.Reserve(capacity);
    }

    /// <inheritdoc/>
    public void Open(int fd)
    {
        _kinds[fd] = Kind.Unknown;
        _http.Open(fd);
    }

    /// <inheritdoc/>
    public void Close(int fd)
    {
        _http.Close(fd);
        _echo.Close(fd);
    }

    /// <inheritdoc/>
    public TransportAnswer Serve(int fd, uint events, ref ReactorCounters counters)
    {
        if (_kinds[fd] == Kind.Unknown)
        {
            byte first;
            var peeked = Sockets.Peek(fd, &first, 1);
            if (peeked.Errno == Errno.EAGAIN)
                return TransportAnswer.Again;
            if (!peeked.Ok || peeked.Value == 0)
                return TransportAnswer.Failed;
            _kinds[fd] = first is >= (byte)'A' and <= (byte)'Z' ? Kind.Http : Kind.Echo;
        }

        return _kinds[fd] == Kind.Http ? _http.Serve(fd, events, ref counters) : _echo.Serve(fd, events, ref counters);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        _echo.Dispose();
        Memory.Release(_kinds, _capacity);
    }
}
