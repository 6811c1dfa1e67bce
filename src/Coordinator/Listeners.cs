using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using LoadHarness.Coordinator.Security;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace LoadHarness.Coordinator;

/// <summary>The TCP side of a coordinator: sockets that listen from the beginning, so that a port that cannot be had is said before all else.</summary>
internal sealed class Listeners : IDisposable
{
    private readonly ImmutableArray<Socket> _sockets;

    private Listeners(ImmutableArray<Socket> sockets, ImmutableArray<ListenAddress> addresses, CertificateFiles? certificate) =>
        (_sockets, Addresses, Certificate) = (sockets, addresses, certificate);

    /// <summary>Where they listen, with the ports that were chosen.</summary>
    public ImmutableArray<ListenAddress> Addresses { get; }

    /// <summary>What they present; null: they are plain, on loopback.</summary>
    public CertificateFiles? Certificate { get; }

    /// <summary>Opens them.</summary>
    /// <exception cref="CredentialException">One would be open to the network without TLS, or the kernel refuses.</exception>
    public static Listeners Open(CoordinatorHostOptions options)
    {
        var certificate = options.Listen.IsEmpty ? null
            : options.Certificate ?? (options.State is { } state ? CertificateFiles.Of(state) : null);
        if (certificate is null && options.Listen.FirstOrDefault(l => !l.IsLoopback) is { } open)
            throw new CredentialException(NeedsTls(open, options.State));
        var sockets = new List<Socket>();
        try
        {
            foreach (var address in options.Listen)
                sockets.Add(ListenSocket.Open(address));
        }
        catch
        {
            sockets.ForEach(s => s.Dispose());
            throw;
        }

        return new(
            [.. sockets], [.. options.Listen.Zip(sockets, (a, s) => a with { Endpoint = (IPEndPoint)s.LocalEndPoint! })], certificate);
    }

    /// <summary>Hands them to the server, which owns them from then on.</summary>
    public void Configure(KestrelServerOptions kestrel)
    {
        var certificates = kestrel.ApplicationServices.GetService<ServerCertificates>();
        var limits = kestrel.ApplicationServices.GetRequiredService<CallLimits>();
        var transport = kestrel.ApplicationServices
            .GetRequiredService<Microsoft.Extensions.Options.IOptions<SocketTransportOptions>>().Value;
        transport.CreateBoundListenSocket = endpoint =>
            _sockets.FirstOrDefault(s => endpoint.Equals(s.LocalEndPoint)) ?? SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        foreach (var address in Addresses)
        {
            kestrel.Listen(address.Endpoint, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.UseConnectionLimit(limits);
                if (certificates is not null)
                    listen.UseTls(certificates);
            });
        }
    }

    /// <summary>Closes those that the server has not closed.</summary>
    public void Dispose()
    {
        foreach (var socket in _sockets)
            socket.Dispose();
    }

    private static string NeedsTls(ListenAddress address, StateDirectory? state)
    {
        var host = address.IsAny ? Environment.MachineName : address.Host;
        var option = state?.Option ?? "";
        return $"cannot listen on {address} without TLS: credentials would be open to the network. Make a certificate: "
            + $"`loadharness certs init{option}`, then `loadharness certs issue server --host {host}{option}`; or give one with --cert and --key; "
            + $"or listen on 127.0.0.1:{address.Endpoint.Port}";
    }
}
