using System.Runtime.InteropServices;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Backend;

/// <summary>Sends back what comes.</summary>
internal sealed unsafe class EchoResponder : IResponder
{
    private const int ReadBytes = 64 * 1024;
    private const int ReadsPerTurn = 4;

    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(ReadBytes);
    private Unsent* _unsent;
    private int _capacity;

    /// <inheritdoc/>
    public void Reserve(int capacity)
    {
        _capacity = capacity;
        _unsent = Memory.Reserve<Unsent>(capacity);
    }

    /// <inheritdoc/>
    public void Open(int fd) => Sockets.SetNoDelay(fd);

    /// <inheritdoc/>
    public void Close(int fd) => _unsent[fd].Forget();

    /// <inheritdoc/>
    public TransportAnswer Serve(int fd, uint events, ref ReactorCounters counters)
    {
        ref var unsent = ref _unsent[fd];
        if (!unsent.Flush(fd, ref counters))
            return (events & Epoll.HangUp) != 0 ? TransportAnswer.Failed : TransportAnswer.Again;
        for (var i = 0; i < ReadsPerTurn; i++)
        {
            var read = Sockets.Receive(fd, _buffer, ReadBytes);
            if (read.Errno == Errno.EAGAIN)
                return TransportAnswer.Again;
            if (!read.Ok || read.Value == 0)
                return TransportAnswer.Failed;
            counters.BytesReceived += read.Value;
            if (!unsent.Send(fd, _buffer, (int)read.Value, ref counters))
                return TransportAnswer.Again;
        }

        return TransportAnswer.Done;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (var fd = 0; fd < _capacity; fd++)
            Close(fd);
        NativeMemory.Free(_buffer);
        Memory.Release(_unsent, _capacity);
    }
}
