using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace LoadHarness.Agent.Link;

/// <summary>
/// Finds out what a port speaks, after a first connection to it made no sense. Sends nothing but the first bytes of a protocol.
/// </summary>
internal sealed class PortProbe(CoordinatorAddress coordinator, CancellationToken cancel)
{
    private const int FrameHeader = 9;
    private const byte SettingsFrame = 4;
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(5);

    // RFC 9113, 3.4, and an empty SETTINGS frame.
    private static readonly byte[] _preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0");

    /// <summary>Whether it speaks TLS: it shows a certificate, whatever that is worth.</summary>
    public Task<bool> SpeaksTlsAsync() => TryAsync(ShowsCertificateAsync);

    /// <summary>Whether it speaks HTTP/2 without TLS: it answers the preface with its settings.</summary>
    public Task<bool> SpeaksPlainHttp2Async() => TryAsync(AnswersPrefaceAsync);

    private async Task<bool> ShowsCertificateAsync(Stream stream, CancellationToken timeout)
    {
        var shown = false;
        var ssl = new SslStream(stream, leaveInnerStreamOpen: true, (_, certificate, _, _) =>
        {
            shown = certificate is not null;
            return false;
        });
        await using (ssl.ConfigureAwait(false))
        {
            var options = new SslClientAuthenticationOptions
            {
                TargetHost = coordinator.Host,
                ApplicationProtocols = [SslApplicationProtocol.Http2],
            };
            // It always fails, since the certificate is not accepted: what counts is what was seen until then.
            await ssl.AuthenticateAsClientAsync(options, timeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return shown;
    }

    private static async Task<bool> AnswersPrefaceAsync(Stream stream, CancellationToken timeout)
    {
        await stream.WriteAsync(_preface, timeout).ConfigureAwait(false);
        var header = new byte[FrameHeader];
        await stream.ReadExactlyAsync(header, timeout).ConfigureAwait(false);
        return header[3] == SettingsFrame;
    }

    private async Task<bool> TryAsync(Func<Stream, CancellationToken, Task<bool>> probe)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        timeout.CancelAfter(_timeout);
        try
        {
            using var client = new TcpClient();
            var endpoints = await coordinator.ResolveAsync(timeout.Token).ConfigureAwait(false);
            await client.ConnectAsync(endpoints[0], timeout.Token).ConfigureAwait(false);
            return await probe(client.GetStream(), timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            return false;
        }
    }
}
