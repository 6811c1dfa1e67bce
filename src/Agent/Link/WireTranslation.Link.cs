using LoadHarness.Agent.Preflight;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Agent.Link;

/// <content>What a coordinator says of the attachment itself, and what it asks.</content>
internal static partial class WireTranslation
{
    private const int MostAsked = 1000;
    private const int LongestId = 128;
    private const int LongestShown = 1000;

    // A lease is what ends the work of a coordinator that is gone; one that nobody lives to see end is none.
    private static readonly TimeSpan _longestLease = TimeSpan.FromHours(1);
    private static readonly TimeSpan _shortestHeartbeat = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _longestHeartbeat = TimeSpan.FromMinutes(1);

    /// <summary>What the coordinator grants for one attachment.</summary>
    /// <exception cref="WireException">It grants nothing that one could live by.</exception>
    public static LinkGrant ToGrant(Wire.Welcome welcome)
    {
        var interval = Time(welcome.HeartbeatInterval, "welcome.heartbeat_interval");
        var lease = Time(welcome.Lease, "welcome.lease");
        if (interval < _shortestHeartbeat || interval > _longestHeartbeat)
        {
            throw new WireException("welcome.heartbeat_interval", "range",
                $"a heartbeat each {interval} is out of range, {_shortestHeartbeat.TotalMilliseconds:0} ms to {_longestHeartbeat.TotalMinutes:0} min is allowed");
        }

        if (lease <= interval || lease > _longestLease)
        {
            throw new WireException("welcome.lease", "range",
                $"a lease of {lease} is out of range: more than the heartbeats' {interval}, and at most {_longestLease.TotalHours:0} h, is allowed");
        }

        return new(ToId(welcome.SessionId, "welcome.session_id"), interval, lease, ToId(welcome.StoreId, "welcome.store_id"), welcome.Epoch);
    }

    /// <summary>What a coordinator says in words, as it may go to logs and terminals.</summary>
    public static string Shown(string text) =>
        string.Concat(text.Take(LongestShown).Select(c => char.IsControl(c) ? ' ' : c)) + (text.Length > LongestShown ? "..." : "");

    /// <summary>Takes a question; what is beyond the contract's bounds is left out.</summary>
    public static RouteQuery ToQuery(Wire.RouteQuery message) => new(
        message.Id,
        [.. message.Names.Where(n => n.Length is > 0 and <= LongestName).Take(MostAsked)],
        [.. message.Addresses.Where(a => a.Length is 4 or 16).Take(MostAsked).Select(a => IpAddress.FromBytes(a.Span))]);

    private static string ToId(string id, string path) => id.Length is > 0 and <= LongestId && !id.Any(char.IsControl)
        ? id
        : throw new WireException(path, "range", $"1 to {LongestId} characters without control characters are wanted, these are {id.Length}");

    private static string Cut(string text) => text.Length <= LongestId ? text : text[..LongestId];
}
