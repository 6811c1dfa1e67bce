using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Reports;

/// <summary>What carries connections, in lines for people.</summary>
internal static class TransportText
{
    /// <summary>Labels with their texts; none for TCP and nothing more.</summary>
    public static IEnumerable<(string Label, string Text)> Lines(TransportSpec transport)
    {
        if (transport.Tls is { Insecure: true })
            yield return ("INSECURE", "certificates are NOT verified (--tls-insecure): whoever answers is taken for the target");
        if (transport.Tls is { } tls)
            yield return ("TLS", Tls(tls));
        if (transport.Proxy is { } proxy)
            yield return ("PROXY", Proxy(proxy));
        if (transport.Socket != new SocketSpec())
            yield return ("sockets", Socket(transport.Socket));
    }

    private static string Tls(TlsSpec tls)
    {
        var parts = new List<string> { Versions(tls) };
        if (!tls.Insecure)
            parts.Add($"certificates verified {(tls.Authorities.IsEmpty ? "by the roots of each agent's host" : "by --tls-ca")}{(tls.ServerName.Length > 0 ? "" : ", for the name in the target")}");
        if (tls.ServerName.Length > 0)
            parts.Add($"server name {tls.ServerName}");
        if (!tls.Certificate.IsEmpty)
            parts.Add("with a client certificate");
        if (!tls.Alpn.IsEmpty)
            parts.Add($"ALPN {string.Join(", ", tls.Alpn)}");
        foreach (var (name, list) in new[] { ("ciphers", tls.Ciphers), ("suites", tls.CipherSuites), ("groups", tls.Groups) })
        {
            if (list.Length > 0)
                parts.Add($"{name} {list}");
        }

        parts.Add(tls.Resume > 0 ? $"{PercentText.Format(tls.Resume)} of the handshakes resume a session" : "every handshake in full");
        if (tls.ReleasesIdle)
            parts.Add("TLS state given back after the handshake (--tls-idle release)");
        if (tls.ShutsDownQuietly)
            parts.Add("no close_notify at the end");
        return string.Join("; ", parts);
    }

    private static string Versions(TlsSpec tls)
    {
        var (lowest, highest) = (Version(tls.Lowest, "1.2"), Version(tls.Highest, "1.3"));
        return lowest == highest ? $"TLS {lowest} only" : $"TLS {lowest} to {highest}";
    }

    private static string Version(TlsVersion version, string ifUnspecified) => version switch
    {
        TlsVersion.V12 => "1.2",
        TlsVersion.V13 => "1.3",
        _ => ifUnspecified,
    };

    private static string Proxy(ProxySpec proxy) => $"each connection begins with a PROXY v{proxy.Version} header"
        + (proxy.Clients is { } clients
            ? $", from {QuantityWords.Number(clients.Count, "made-up client")} one after the other ({clients})"
            : " that says who we are");

    private static string Socket(SocketSpec socket)
    {
        var parts = new List<string>();
        if (socket.NoDelay is { } noDelay)
            parts.Add($"TCP_NODELAY {(noDelay ? "on" : "off")}");
        if (socket.KeepAlive is { } keepAlive)
            parts.Add($"keepalive probes every {DurationText.Format(keepAlive)} from the kernel");
        if (socket.SendBuffer is { } send)
            parts.Add($"SO_SNDBUF {send:N0}");
        if (socket.ReceiveBuffer is { } receive)
            parts.Add($"SO_RCVBUF {receive:N0}");
        if (socket.UserTimeout is { } timeout)
            parts.Add($"TCP_USER_TIMEOUT {DurationText.Format(timeout)}");
        return string.Join("; ", parts);
    }
}
