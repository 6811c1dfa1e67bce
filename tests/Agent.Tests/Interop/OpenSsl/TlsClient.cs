using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadHarness.Agent.Interop.OpenSsl;

namespace LoadHarness.Agent.Tests.Interop.OpenSsl;

/// <summary>A connection that waits where a reactor would go on with others.</summary>
internal sealed unsafe class TlsClient : IDisposable
{
    private bool _freed;

    public TlsClient(SslContext context, IPEndPoint endpoint)
    {
        Socket = new(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        Socket.Connect(endpoint);
        Socket.Blocking = false;
        Ssl = Ssl.Connect(context, (int)Socket.Handle);
    }

    public Socket Socket { get; }

    public Ssl Ssl { get; }

    public (TlsResult Result, int Errno) Handshake()
    {
        while (true)
        {
            var result = Ssl.Handshake(out var errno);
            if (result != TlsResult.Again)
                return (result, errno);
            Assert.That(Socket.Poll(60_000_000, SelectMode.SelectRead), Is.True, "the handshake stands still");
        }
    }

    public string Exchange(string text)
    {
        fixed (byte* bytes = Encoding.ASCII.GetBytes(text))
            Assert.That(Ssl.Write(bytes, text.Length, out _, out _), Is.EqualTo(TlsResult.Done));
        var buffer = new byte[100];
        fixed (byte* into = buffer)
        {
            TlsResult result;
            int read;
            while ((result = Ssl.Read(into, buffer.Length, out read, out _)) == TlsResult.Again)
                Assert.That(Socket.Poll(60_000_000, SelectMode.SelectRead), Is.True, "no answer");
            return result == TlsResult.Done ? Encoding.ASCII.GetString(buffer, 0, read) : result.ToString();
        }
    }

    public (TlsResult Result, int Errno) Read()
    {
        var buffer = stackalloc byte[1];
        while (true)
        {
            var result = Ssl.Read(buffer, 1, out _, out var errno);
            if (result != TlsResult.Again)
                return (result, errno);
            Assert.That(Socket.Poll(60_000_000, SelectMode.SelectRead), Is.True, "nothing comes");
        }
    }

    public void Free()
    {
        Ssl.Free();
        _freed = true;
    }

    public void Dispose()
    {
        if (!_freed)
            Ssl.Free();
        Socket.Dispose();
    }
}
