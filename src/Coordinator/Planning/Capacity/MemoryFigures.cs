namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>
/// What connections cost in memory, in bytes. Where and how each was measured stands in docs/design/capacity.md; KB here are 1,000 bytes.
/// </summary>
public static class MemoryFigures
{
    /// <summary>Slab of the kernel for both ends of an idle connection: 2,000,016 pairs on one machine took 20.5 GB (kernel 6.18).</summary>
    public const int KernelPair = 10_250;

    /// <summary>Slab for one end: socket, inode, dentry, file, epoll item.</summary>
    public const int KernelEnd = KernelPair / 2;

    /// <summary>User memory of an agent per connection: its tables, and what rests. An upper bound that the benchmarks hold.</summary>
    public const int AgentConnection = 64;

    /// <summary>User memory of an agent per TLS connection that keeps its state (TLS 1.3, idle, OpenSSL 3 with SSL_MODE_RELEASE_BUFFERS), beside the former.</summary>
    public const int AgentTls = 28_000;

    /// <summary>User memory of an agent that holds nothing, its reactors included.</summary>
    public const int AgentBase = 40_000_000;

    /// <summary>HAProxy 2.6, mode tcp: resident memory per connection that passes through it and is idle.</summary>
    public const int HaproxyTcp = 3_400;

    /// <summary>HAProxy's own estimate of a TLS session, SSL_SESSION_MAX_COST in include/haproxy/defaults.h ("measured" there).</summary>
    public const int HaproxyTls = 16 * 1024;

    /// <summary>As <see cref="HaproxyTls"/>, on top of it while the handshake goes on: SSL_HANDSHAKE_MAX_COST.</summary>
    public const int HaproxyHandshake = 76 * 1024;

    /// <summary>Two buffers of tune.bufsize (16,384 bytes by default) while data is in them; idle connections have none.</summary>
    public const int HaproxyBuffers = 2 * 16 * 1024;
}
