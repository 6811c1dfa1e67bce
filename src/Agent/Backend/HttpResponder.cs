using System.Runtime.InteropServices;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Backend;

/// <summary>Answers each HTTP/1.1 request with the same small 200, in the order of the requests.</summary>
internal sealed unsafe class HttpResponder : IResponder
{
    private const int ReadBytes = 8 * 1024;
    private const int ReadsPerTurn = 16;

    // The answers to one read always fit: the scanner takes no request shorter than this for one.
    private const int ShortestRequest = 10;
    private const int LongestAnswer = 96;
    private const int WriteBytes = ReadBytes / ShortestRequest * LongestAnswer;

    private readonly byte* _input = (byte*)NativeMemory.Alloc(ReadBytes);
    private readonly byte* _output = (byte*)NativeMemory.Alloc(WriteBytes);
    private Exchange* _exchanges;
    private int _capacity;

    private static ReadOnlySpan<byte> Ok =>
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"u8;

    private static ReadOnlySpan<byte> OkHead =>
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n"u8;

    private static ReadOnlySpan<byte> OkClose =>
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"u8;

    private static ReadOnlySpan<byte> OkHeadClose =>
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"u8;

    private static ReadOnlySpan<byte> BadRequest =>
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8;

    /// <inheritdoc/>
    public void Reserve(int capacity)
    {
        _capacity = capacity;
        _exchanges = Memory.Reserve<Exchange>(capacity);
    }

    /// <inheritdoc/>
    public void Open(int fd)
    {
        _exchanges[fd] = default;
        Sockets.SetNoDelay(fd);
    }

    /// <inheritdoc/>
    public void Close(int fd) => _exchanges[fd].Unsent.Forget();

    /// <inheritdoc/>
    public TransportAnswer Serve(int fd, uint events, ref ReactorCounters counters)
    {
        ref var exchange = ref _exchanges[fd];
        if (!exchange.Unsent.Flush(fd, ref counters))
            return (events & Epoll.HangUp) != 0 ? TransportAnswer.Failed : TransportAnswer.Again;
        for (var i = 0; i < ReadsPerTurn; i++)
        {
            if (exchange.Ends)
                return TransportAnswer.Failed;
            var read = Sockets.Receive(fd, _input, ReadBytes);
            if (read.Errno == Errno.EAGAIN)
                return TransportAnswer.Again;
            if (!read.Ok || read.Value == 0)
                return TransportAnswer.Failed;
            counters.BytesReceived += read.Value;
            var written = Answer(ref exchange, (int)read.Value, ref counters);
            if (written > 0 && !exchange.Unsent.Send(fd, _output, written, ref counters))
                return TransportAnswer.Again;
        }

        return TransportAnswer.Done;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (var fd = 0; fd < _capacity; fd++)
            Close(fd);
        NativeMemory.Free(_input);
        NativeMemory.Free(_output);
        Memory.Release(_exchanges, _capacity);
    }

    private int Answer(ref Exchange exchange, int length, ref ReactorCounters counters)
    {
        var input = new ReadOnlySpan<byte>(_input, length);
        var output = new Span<byte>(_output, WriteBytes);
        var written = 0;
        while (!exchange.Ends && input.Length > 0)
        {
            var result = exchange.Scanner.Scan(input, out var used);
            input = input[used..];
            if (result == ScanResult.More)
                break;
            exchange.Ends = result == ScanResult.Bad || exchange.Scanner.Closes;
            var answer = result == ScanResult.Bad ? BadRequest : AnswerTo(exchange.Scanner);
            answer.CopyTo(output[written..]);
            written += answer.Length;
            counters.Requests++;
        }

        return written;
    }

    private static ReadOnlySpan<byte> AnswerTo(in RequestScanner request) => (request.IsHead, request.Closes) switch
    {
        (false, false) => Ok,
        (true, false) => OkHead,
        (false, true) => OkClose,
        (true, true) => OkHeadClose,
    };

    private struct Exchange
    {
        public RequestScanner Scanner;
        public bool Ends;
        public Unsent Unsent;
    }
}
