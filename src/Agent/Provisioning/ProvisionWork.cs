using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Provisioning;

/// <summary>Addresses that a run adds to this host; see assignment.proto.</summary>
/// <param name="Addresses">Those of one range that this host's agents get.</param>
/// <param name="Device">Where.</param>
/// <param name="PrefixLength">Of the range: its network and broadcast address are never added.</param>
/// <param name="Owner">Whether this agent adds them; otherwise it waits until another one has.</param>
public sealed record ProvisionWork(ImmutableArray<IpRange> Addresses, string Device, int PrefixLength, bool Owner)
{
    /// <summary>How many addresses.</summary>
    public long Count => Addresses.Sum(a => a.Count);

    /// <summary>Each of them; look at <see cref="Count"/> first.</summary>
    public IEnumerable<IpAddress> Each()
    {
        foreach (var range in Addresses)
        {
            for (var i = 0L; i < range.Count; i++)
                yield return range.First.Plus(i);
        }
    }
}
