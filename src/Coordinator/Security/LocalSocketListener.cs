using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoadHarness.Coordinator.Security;

/// <summary>A Unix socket that talks only to processes of its own user, and to root.</summary>
internal static partial class LocalSocketListener
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes a path free for a listener: its directory is closed to others, a socket that nobody listens on is removed.</summary>
    /// <exception cref="CredentialException">Somebody listens there, or the path cannot be used.</exception>
    public static void Prepare(string socketPath)
    {
        SafeFile.PrepareDirectory(Path.GetDirectoryName(Path.GetFullPath(socketPath))!);
        if (!File.Exists(socketPath))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(socketPath));
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable)
        {
            File.Delete(socketPath);
            return;
        }
        catch (SocketException e)
        {
            throw new CredentialException($"cannot listen on {socketPath}: {e.Message}; give another path, or remove it", e);
        }

        throw new CredentialException($"cannot listen on {socketPath}: another coordinator does; give another path, or end that one");
    }

    /// <summary>Closes the socket file itself to others.</summary>
    public static void Protect(string socketPath) => File.SetUnixFileMode(socketPath, OwnerOnly);

    /// <summary>Ends each connection whose other end is another user's process, before a byte of it is read.</summary>
    public static void UsePeerCheck(this ListenOptions listen, uint ownUserId) => listen.Use((connection, next) =>
    {
        var log = listen.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(LocalSocketListener).FullName!);
        if (connection.Features.Get<IConnectionSocketFeature>() is not { } feature)
        {
            connection.Abort(new ConnectionAbortedException("the other end is unknown"));
            return Task.CompletedTask;
        }

        var peer = PeerCredentials.Of(feature.Socket);
        if (peer.MayTalkTo(ownUserId))
            return next(connection);
        LogTurnedAway(log, peer.ProcessId, peer.UserId, ownUserId);
        connection.Abort(new ConnectionAbortedException("another user's process"));
        return Task.CompletedTask;
    });

    [LoggerMessage(1101, LogLevel.Warning, "Turned away process {ProcessId} of user {UserId}: only user {OwnUserId} and root may connect")]
    private static partial void LogTurnedAway(ILogger log, int processId, uint userId, uint ownUserId);
}
