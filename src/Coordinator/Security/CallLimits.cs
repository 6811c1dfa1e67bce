using System.Globalization;
using System.Net;
using System.Threading.RateLimiting;
using Grpc.Core;

namespace LoadHarness.Coordinator.Security;

/// <summary>Holds callers to <see cref="RateLimits"/>: a loop in somebody's script does not hurt the runs of others, and guessing is slow.</summary>
public sealed class CallLimits : IDisposable
{
    private const int Ipv6NetworkBytes = 8;
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    private readonly RateLimits _limits;
    private readonly PartitionedRateLimiter<string> _calls;
    private readonly PartitionedRateLimiter<string> _streams;
    private readonly PartitionedRateLimiter<string> _failures;
    private readonly PartitionedRateLimiter<string> _connections;

    /// <summary>Nobody has called yet.</summary>
    public CallLimits(RateLimits limits)
    {
        _limits = limits;
        _calls = Buckets(limits.CallBurst, limits.CallsPerSecond, _period);
        _failures = Buckets(limits.FailureBurst, 1, limits.FailurePause);
        _streams = AtOnce(limits.Streams);
        _connections = AtOnce(limits.ConnectionsPerAddress);
    }

    /// <summary>Counts an open connection, until the result is disposed.</summary>
    /// <returns>Null: the address holds too many.</returns>
    public IDisposable? CountConnection(IPAddress peer)
    {
        var lease = _connections.AttemptAcquire(NetworkOf(peer));
        return lease.IsAcquired ? lease : null;
    }

    /// <summary>Counts a call of the control API.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many.</exception>
    public void CountCall(Caller caller)
    {
        using var lease = _calls.AttemptAcquire(caller.Name);
        if (!lease.IsAcquired)
            throw Exhausted($"too many calls by {caller.Name}: {_limits.CallsPerSecond} per second are allowed{After(lease)}");
    }

    /// <summary>Counts an open stream, until the result is disposed.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many.</exception>
    public IDisposable CountStream(Caller caller)
    {
        var lease = _streams.AttemptAcquire(caller.Name);
        return lease.IsAcquired
            ? lease
            : throw Exhausted($"{caller.Name} holds {_limits.Streams} streams open, which is the most; end one of them");
    }

    /// <summary>Refuses to look at a credential from an address that has given too many wrong ones.</summary>
    /// <param name="peer">The address; null for a Unix socket, which is this user's own and not limited.</param>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many.</exception>
    public void CheckFailures(IPAddress? peer)
    {
        if (peer is null)
            return;
        // Asks whether there is a whole permit; an attempt to take none succeeds as soon as a fraction of one has come back.
        if (_failures.GetStatistics(NetworkOf(peer)) is { CurrentAvailablePermits: 0 })
            throw Exhausted($"too many wrong credentials from {peer}; try again in {Math.Ceiling(_limits.FailurePause.TotalSeconds):0} s");
    }

    /// <summary>Counts a wrong credential.</summary>
    /// <inheritdoc cref="CheckFailures"/>
    public void CountFailure(IPAddress? peer)
    {
        if (peer is not null)
            _failures.AttemptAcquire(NetworkOf(peer)).Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _calls.Dispose();
        _streams.Dispose();
        _failures.Dispose();
        _connections.Dispose();
    }

    /// <summary>One host has a /64 of IPv6 addresses to try from.</summary>
    private static string NetworkOf(IPAddress peer)
    {
        var address = peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer;
        var bytes = address.GetAddressBytes();
        return Convert.ToHexString(bytes, 0, Math.Min(bytes.Length, Ipv6NetworkBytes));
    }

    private static PartitionedRateLimiter<string> AtOnce(int most) => PartitionedRateLimiter.Create<string, string>(
        key => RateLimitPartition.GetConcurrencyLimiter(key, _ => new ConcurrencyLimiterOptions { PermitLimit = most, QueueLimit = 0 }));

    private static PartitionedRateLimiter<string> Buckets(int burst, int tokens, TimeSpan period) =>
        PartitionedRateLimiter.Create<string, string>(key => RateLimitPartition.GetTokenBucketLimiter(key, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = burst,
            TokensPerPeriod = tokens,
            ReplenishmentPeriod = period,
            QueueLimit = 0,
        }));

    private static string After(RateLimitLease lease) => lease.TryGetMetadata(MetadataName.RetryAfter, out var after)
        ? string.Create(CultureInfo.InvariantCulture, $"; try again in {Math.Max(1, Math.Ceiling(after.TotalSeconds)):0} s")
        : "; try again later";

    private static RpcException Exhausted(string message) => new(new Status(StatusCode.ResourceExhausted, message));
}
