using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Interop.Netlink;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Provisioning;

/// <summary>Waits until addresses are there and can be bound: another agent may be adding them, and IPv6 ones are asked for on the link first.</summary>
internal sealed class AddressWait(RouteNetlink netlink, ProvisionWork sources)
{
    private readonly HashSet<IpAddress> _wanted = [.. sources.Each()];

    /// <summary>Nobody waits any more.</summary>
    public static ProvisionRefusal Abandoned { get; } = new("abandoned", "adding addresses was given up, for the agent was told otherwise meanwhile");

    /// <summary>Waits.</summary>
    /// <returns>Null, or why they are not there.</returns>
    public ProvisionRefusal? Wait(TimeSpan patience, TimeSpan poll, Func<bool> isAbandoned)
    {
        var deadline = Clock.MonotonicNanos + (patience.Ticks * 100);
        while (true)
        {
            var read = AddressEntry.Read(netlink, out var entries);
            if (!read.Ok)
                return new("address", $"reading this host's addresses: errno {read.Errno}");
            var there = entries.Where(e => _wanted.Contains(e.Address)).ToList();
            var duplicates = there.Where(e => e.IsDuplicate).Select(e => $"{e.Address} is in use by another host").Order(StringComparer.Ordinal).ToList();
            if (duplicates.Count > 0)
                return new("address", ProvisionRules.Join(duplicates, sources));
            _wanted.ExceptWith(there.Where(e => !e.IsTentative).Select(e => e.Address));
            if (_wanted.Count == 0)
                return null;
            if (isAbandoned())
                return Abandoned;
            if (Clock.MonotonicNanos >= deadline)
                return TooLate(patience, there);
            Thread.Sleep(poll);
        }
    }

    private ProvisionRefusal TooLate(TimeSpan patience, List<AddressEntry> there)
    {
        var first = _wanted.Min();
        var state = there.Any(e => e.Address == first) ? "the kernel is still asking whether other hosts have it" : "it is not there";
        return new("address",
            $"{first} cannot be bound after {patience.TotalSeconds:0} s: {state} ({_wanted.Count:N0} addresses of {sources.Device} in all)"
            + (sources.Owner ? "" : "; another agent of this host was to add them"));
    }
}
