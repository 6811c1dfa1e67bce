using System.Collections.Immutable;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Interop.Netlink;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Provisioning;

/// <summary>
/// Adds source addresses to this host for a run, and removes just those. What cannot be removed yet, because sockets of others are on it,
/// goes as soon as it can; what a killed agent has left goes at the next start. May be used from any plain thread.
/// </summary>
public sealed class SourceProvisioner : IDisposable
{
    private static readonly TimeSpan _othersPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _releasePatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _lingerPoll = TimeSpan.FromSeconds(1);

    private readonly AllowProvision _allowed;
    private readonly ProvisionJournal _journal;
    private readonly Action<string> _warn;
    private readonly object _gate = new();
    private readonly HashSet<ProvisionedAddress> _ours = [];
    private readonly HashSet<ProvisionedAddress> _inUse = [];
    private Thread? _lingering;
    private bool _disposed;

    /// <summary>Prepares one; nothing is changed before <see cref="CleanUp"/> or <see cref="Provide"/>.</summary>
    /// <param name="allowed">What this agent's user lets it add.</param>
    /// <param name="folder">Where this host's agents keep their journals.</param>
    /// <param name="networkNamespace">Identifies this namespace and boot.</param>
    /// <param name="warn">Takes what the user should know, in whole sentences.</param>
    public SourceProvisioner(AllowProvision allowed, string folder, string networkNamespace, Action<string> warn)
    {
        (_allowed, _warn) = (allowed, warn);
        _journal = new ProvisionJournal(folder, networkNamespace);
    }

    /// <summary>Removes what dead agents have left in this namespace.</summary>
    public void CleanUp()
    {
        lock (_gate)
        {
            try
            {
                foreach (var (file, addresses) in _journal.Dead())
                {
                    _ours.UnionWith(addresses);
                    if (_ours.Count > 0)
                        _journal.Write(_ours);
                    File.Delete(file.Name);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _warn($"what an agent may have left behind on this host cannot be read: {e.Message}");
            }
        }

        Release(TimeSpan.Zero);
    }

    /// <summary>Sees to it that the sources of a run are there; for addresses that were there before it does nothing.</summary>
    /// <param name="wanted">All that the run has on this host; empty: nothing is to be added.</param>
    /// <param name="isAbandoned">Whether nobody wants the result any more.</param>
    /// <returns>Null, or why they are not there.</returns>
    public ProvisionRefusal? Provide(ImmutableArray<ProvisionWork> wanted, Func<bool> isAbandoned)
    {
        if (wanted.IsEmpty)
            return null;
        lock (_gate)
        {
            var opened = RouteNetlink.Open(out var netlink);
            if (!opened.Ok)
                return Failed("asking the kernel for addresses", opened.Errno);
            using (netlink)
            {
                foreach (var sources in wanted)
                {
                    var known = sources.Each().Select(a => new ProvisionedAddress(a, sources.Device)).ToList();
                    // What was there once in this run and is gone was taken away by somebody who meant it.
                    if (!_inUse.IsSupersetOf(known) && Provide(netlink!, sources, isAbandoned) is { } refusal)
                        return refusal;
                    _inUse.UnionWith(known);
                }
            }

            return null;
        }
    }

    /// <summary>The run is over: removes what was added, once no socket is on it any more. For the rest that is tried on and on.</summary>
    public void Release() => Release(_releasePatience);

    /// <summary>Removes what can be removed; the rest stays written down for the next start.</summary>
    public void Dispose()
    {
        Release(_releasePatience);
        lock (_gate)
        {
            _disposed = true;
            if (_ours.Count > 0)
                _warn($"{_ours.Count:N0} addresses that were added stay, for sockets of others are on them; the next agent that starts here removes them");
            _journal.Dispose();
            Monitor.PulseAll(_gate);
        }
    }

    private ProvisionRefusal? Provide(RouteNetlink netlink, ProvisionWork sources, Func<bool> isAbandoned)
    {
        if (sources.Owner && Add(netlink, sources, isAbandoned) is { } refusal)
            return refusal;
        return new AddressWait(netlink, sources).Wait(_othersPatience, _poll, isAbandoned);
    }

    private ProvisionRefusal? Add(RouteNetlink netlink, ProvisionWork sources, Func<bool> isAbandoned)
    {
        var read = HostNetwork.Read(netlink, out var host);
        if (!read.Ok)
            return Failed("reading this host's addresses", read.Errno);
        var missing = new List<IpAddress>();
        if (ProvisionRules.Check(sources, _allowed, host!, missing) is { } refusal)
            return refusal;
        var link = host!.Links[sources.Device];
        if (Probe(link, missing, sources, isAbandoned) is { } used)
            return used;
        // Those that an owner before us has left too.
        var left = sources.Each().Where(a => host.On(a, sources.Device)?.LooksOurs == true);
        _ours.UnionWith(missing.Concat(left).Select(a => new ProvisionedAddress(a, sources.Device)));
        try
        {
            _journal.Write(_ours);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _ours.ExceptWith(missing.Select(a => new ProvisionedAddress(a, sources.Device)));
            return new("journal", $"nothing was added to {sources.Device}, for it could not be written down for a later clean-up: {e.Message}");
        }

        foreach (var address in missing)
        {
            var added = AddressEntry.Add(netlink, address, link.Index);
            if (!added.Ok && added.Errno != Errno.EEXIST)
                return Failed($"adding {address} to {sources.Device}", added.Errno);
        }

        if (link.SpeaksArp)
            AddressProbe.Announce(link, missing.Where(a => !a.IsV6));
        return null;
    }

    // IPv6 addresses are probed by the kernel once they are there (RFC 4862).
    private static ProvisionRefusal? Probe(LinkEntry link, List<IpAddress> missing, ProvisionWork sources, Func<bool> isAbandoned)
    {
        var asked = missing.Where(a => !a.IsV6).ToList();
        if (asked.Count == 0 || !link.SpeaksArp)
            return null;
        var users = new Dictionary<IpAddress, string>();
        var probed = AddressProbe.Probe(link, asked, isAbandoned, users);
        if (!probed.Ok)
            return Failed($"asking on {link.Name} whether other hosts have the addresses (ARP)", probed.Errno);
        if (isAbandoned())
            return AddressWait.Abandoned;
        return users.Count == 0
            ? null
            : new("address", ProvisionRules.Join([.. users.OrderBy(u => u.Key).Select(u => $"{u.Key} is in use by {u.Value}")], sources));
    }

    private void Release(TimeSpan patience)
    {
        var deadline = Clock.MonotonicNanos + (patience.Ticks * 100);
        while (true)
        {
            var isLast = Clock.MonotonicNanos >= deadline;
            lock (_gate)
            {
                _inUse.Clear();
                if (_disposed || _ours.Count == 0)
                    return;
                Remove(withOrphans: !isLast);
                if (_ours.Count == 0 || isLast)
                {
                    KeepJournal();
                    if (_ours.Count > 0)
                        _lingering ??= Linger();
                    return;
                }
            }

            Thread.Sleep(_poll);
        }
    }

    private void Remove(bool withOrphans)
    {
        if (!RouteNetlink.Open(out var netlink).Ok)
            return;
        using (netlink)
        {
            if (!HostNetwork.Read(netlink!, out var host).Ok
                || !SourceSockets.Read([.. _ours.Select(o => o.Address)], withOrphans, out var used).Ok)
            {
                return;
            }

            foreach (var (address, device) in _ours.Where(o => !used.Contains(o.Address)).ToList())
            {
                // One that is gone, or was changed by somebody, is not ours any more.
                if (host!.On(address, device) is { LooksOurs: true } entry
                    && AddressEntry.Remove(netlink!, address, entry.Device) is { Ok: false, Errno: not Errno.EADDRNOTAVAIL } failed)
                {
                    _warn($"{address} cannot be removed from {device}: {Describe(failed.Errno)}");
                    return;
                }

                _ours.Remove(new(address, device));
            }
        }
    }

    private void KeepJournal()
    {
        try
        {
            if (_ours.Count == 0)
                _journal.Clear();
            else
                _journal.Write(_ours);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _warn($"the list of added addresses cannot be kept: {e.Message}");
        }
    }

    private Thread Linger()
    {
        _warn($"{_ours.Count:N0} addresses that were added stay for now: sockets of others are on them");
        var thread = new Thread(RemoveLater) { IsBackground = true, Name = "provisioned" };
        thread.Start();
        return thread;
    }

    private void RemoveLater()
    {
        lock (_gate)
        {
            while (!_disposed && _ours.Count > 0)
            {
                Monitor.Wait(_gate, _lingerPoll);
                // A new run may have taken over what is there.
                if (_disposed || _inUse.Count > 0)
                    continue;
                Remove(withOrphans: false);
                if (_ours.Count == 0)
                    KeepJournal();
            }

            _lingering = null;
        }
    }

    private static ProvisionRefusal Failed(string what, int errno) => errno is Errno.EPERM or Errno.EACCES
        ? new("permission", $"{what}: not permitted; an agent that adds addresses wants CAP_NET_ADMIN and CAP_NET_RAW (run it as root, or with these capabilities)")
        : new("address", $"{what}: {Describe(errno)}");

    private static string Describe(int errno) => $"errno {errno}";
}
