using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LoadHarness.Coordinator.Security;

/// <summary>Ends connections of an address that holds too many, before a byte of them is read.</summary>
internal static partial class ConnectionLimit
{
    /// <summary>Counts the connections of a listener.</summary>
    public static void UseConnectionLimit(this ListenOptions listen, CallLimits limits)
    {
        var log = listen.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ConnectionLimit).FullName!);
        listen.Use(async (connection, next) =>
        {
            if (connection.RemoteEndPoint is not IPEndPoint { Address: var peer })
            {
                connection.Abort(new ConnectionAbortedException("the other end is unknown"));
                return;
            }

            using var counted = limits.CountConnection(peer);
            if (counted is not null)
            {
                await next(connection);
                return;
            }

            LogTooMany(log, peer);
            connection.Abort(new ConnectionAbortedException("too many connections from one address"));
        });
    }

    [LoggerMessage(1102, LogLevel.Debug, "Turned away a connection of {Peer}: it holds as many as one address may")]
    private static partial void LogTooMany(ILogger log, IPAddress peer);
}
