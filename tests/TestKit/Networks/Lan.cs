using System.Globalization;

namespace LoadHarness.TestKit.Networks;

/// <summary>Several hosts on one switch: namespaces whose <c>eth0</c> are ports of one bridge. They go away together.</summary>
public sealed class Lan : IDisposable
{
    private const string Bridge = "br0";

    private readonly NetworkNamespace _switch = NetworkNamespace.Create();
    private readonly List<NetworkNamespace> _hosts = [];

    private Lan()
    {
    }

    /// <summary>Makes the switch. Wants CAP_SYS_ADMIN.</summary>
    public static Lan Create()
    {
        var lan = new Lan();
        lan._switch.Ip("link", "add", Bridge, "type", "bridge");
        lan._switch.Ip("link", "set", Bridge, "up");
        return lan;
    }

    /// <summary>Plugs a host in.</summary>
    /// <param name="prefixes">Its addresses with their length: <c>10.77.0.1/16</c>; the first one is what the route chooses.</param>
    public NetworkNamespace AddHost(params IReadOnlyList<string> prefixes)
    {
        var host = NetworkNamespace.Create();
        _hosts.Add(host);
        var port = string.Create(CultureInfo.InvariantCulture, $"port{_hosts.Count}");
        host.Ip("link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", _switch.Name);
        foreach (var prefix in prefixes)
            host.AddAddress(prefix, "eth0");
        host.Ip("link", "set", "eth0", "up");
        _switch.Ip("link", "set", port, "master", Bridge, "up");
        // The kernel looks after carriers when it has time; until then what is sent is lost.
        while (!_switch.Ip("-d", "-o", "link", "show", port).Contains("state forwarding", StringComparison.Ordinal))
            Thread.Sleep(20);
        return host;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var host in _hosts)
            host.Dispose();
        _switch.Dispose();
    }
}
