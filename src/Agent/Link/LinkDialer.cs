using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;

namespace LoadHarness.Agent.Link;

/// <summary>Opens HTTP/2 connections to the coordinator.</summary>
public sealed class LinkDialer(LinkOptions options)
{
    private const int MaxMessageBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(5);

    // A coordinator that is stopped, or a peer that vanished, is noticed after the sum of both.
    private static readonly TimeSpan _pingDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _pingTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A channel with a connection of its own; nothing is dialled before its first call.</summary>
    public GrpcChannel OpenChannel()
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancel) => ConnectAsync(cancel),
            ConnectTimeout = _connectTimeout,
            KeepAlivePingDelay = _pingDelay,
            KeepAlivePingTimeout = _pingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
            AllowAutoRedirect = false,
        };
        return GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageBytes,
            MaxSendMessageSize = MaxMessageBytes,
        });
    }

    /// <summary>The headers of a call: the credential, as the file holds it now.</summary>
    /// <exception cref="LinkRefusedException">The file cannot be read, or is open to other users.</exception>
    public Metadata Headers() => options.CredentialFile is { } path ? new() { { "authorization", $"Bearer {ReadCredential(path)}" } } : [];

    /// <summary>Reads a credential file.</summary>
    /// <exception cref="LinkRefusedException">It cannot be read, is open to other users, or holds no credential.</exception>
    public static string ReadCredential(string path)
    {
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        try
        {
            if ((File.GetUnixFileMode(path) & others) != 0)
                throw new LinkRefusedException($"credential file {path} is open to other users; it must be 0600: chmod 600 {path}");
            var credential = File.ReadAllText(path).Trim();
            return credential.Length > 0 && credential.All(c => c is > ' ' and <= '~')
                ? credential
                : throw new LinkRefusedException($"credential file {path} holds no credential: one line of printable characters is wanted");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LinkRefusedException($"credential file {path} is missing; the coordinator writes it when it starts");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LinkRefusedException($"cannot read credential file {path}: {e.Message}");
        }
    }

    private async ValueTask<Stream> ConnectAsync(CancellationToken cancel)
    {
        if (options.Coordinator.SocketPath is { } path)
        {
            // The framework would call it an address that cannot be assigned.
            return File.Exists(path)
                ? await ConnectAsync(new UnixDomainSocketEndPoint(path), null, cancel).ConfigureAwait(false)
                : throw new LinkLostException("there is no such socket; is the coordinator running?");
        }

        SocketException? failure = null;
        foreach (var endpoint in options.Coordinator.Endpoints)
        {
            try
            {
                // Bound first: a slice over all ephemeral ports leaves connect() none to choose, but bind() still finds one
                // of this address, from which a run opens no connections of that port.
                return await ConnectAsync(endpoint, new(endpoint.Address, 0), cancel).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                failure ??= e;
            }
        }

        throw failure!;
    }

    private static async Task<Stream> ConnectAsync(EndPoint endpoint, IPEndPoint? source, CancellationToken cancel)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, source is null ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            if (source is not null)
            {
                socket.NoDelay = true;
                socket.Bind(source);
            }

            await socket.ConnectAsync(endpoint, cancel).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
