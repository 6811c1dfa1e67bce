using System.Collections.Immutable;
using System.Text.Json.Serialization;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Specs;

/// <summary>What connections of one kind do once they are open.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Hold), SpecWorkload.Hold)]
[JsonDerivedType(typeof(Churn), SpecWorkload.Churn)]
[JsonDerivedType(typeof(Http), SpecWorkload.Http)]
[JsonDerivedType(typeof(Echo), SpecWorkload.Echo)]
public abstract record WorkloadSpec
{
    private WorkloadSpec()
    {
    }

    /// <summary>As on the command line: <c>hold</c>.</summary>
    public abstract string Name { get; }

    /// <summary>When its connections send requests; null: they send none.</summary>
    public PaceSpec? Requests => this switch
    {
        Http http => http.Pace,
        Echo echo => echo.Pace,
        _ => null,
    };

    /// <summary>Stay open.</summary>
    public sealed record Hold : WorkloadSpec
    {
        /// <inheritdoc/>
        public override string Name => SpecWorkload.Hold;
    }

    /// <summary>Live for a time, end, and are replaced.</summary>
    /// <param name="Life">From open to our close; null: until the peer closes.</param>
    /// <param name="Close">By FIN, which leaves TIME-WAIT here; by RST, which leaves nothing; or left to the peer.</param>
    public sealed record Churn(LifetimeSpec? Life, CloseMethod Close) : WorkloadSpec
    {
        /// <inheritdoc/>
        public override string Name => SpecWorkload.Churn;
    }

    /// <summary>HTTP/1.1 requests one after the other.</summary>
    /// <param name="Request">What is sent.</param>
    /// <param name="Expected">Statuses that count as completed.</param>
    /// <param name="Pace">When.</param>
    public sealed record Http(HttpRequestSpec Request, ImmutableArray<PortSpan> Expected, PaceSpec Pace) : WorkloadSpec
    {
        /// <inheritdoc/>
        public override string Name => SpecWorkload.Http;
    }

    /// <summary>Messages that are to come back.</summary>
    /// <param name="Size">Bytes of each, 1 to 1 MiB.</param>
    /// <param name="Pace">When.</param>
    public sealed record Echo(int Size, PaceSpec Pace) : WorkloadSpec
    {
        /// <inheritdoc/>
        public override string Name => SpecWorkload.Echo;
    }
}

/// <summary>Connections of one kind among others.</summary>
/// <param name="Weight">Beside the other kinds: 1 to 1,000,000.</param>
/// <param name="Workload">What they do.</param>
public sealed record WorkloadShare(int Weight, WorkloadSpec Workload);

/// <summary>How long connections live.</summary>
/// <param name="Spread">How lives differ.</param>
/// <param name="Length">Of each, or of the shortest, or on average.</param>
/// <param name="Longest">Of a uniform spread; otherwise equal to <paramref name="Length"/>.</param>
public sealed record LifetimeSpec(LifetimeSpread Spread, TimeSpan Length, TimeSpan Longest)
{
    /// <summary>The mean of all.</summary>
    public TimeSpan Mean => Spread == LifetimeSpread.Uniform ? (Length + Longest) / 2 : Length;
}

/// <summary>An HTTP/1.1 request.</summary>
/// <param name="Method">Such as GET.</param>
/// <param name="Path">In origin form, with its query.</param>
/// <param name="Host">Null: what the user typed as the target.</param>
/// <param name="Fields">Beside Host, Content-Length and Connection.</param>
/// <param name="Body">May be empty.</param>
public sealed record HttpRequestSpec(
    string Method, string Path, string? Host, ImmutableArray<HttpField> Fields, ReadOnlyMemory<byte> Body);

/// <summary>A header line.</summary>
/// <param name="Name">A token.</param>
/// <param name="Value">Latin-1 without control characters.</param>
public sealed record HttpField(string Name, string Value);

/// <summary>When requests are sent.</summary>
/// <param name="Load">By which model.</param>
/// <param name="Timeout">From the start of sending to the end of the response.</param>
/// <param name="PerConnection">A connection is closed after so many; 0: never.</param>
public sealed record PaceSpec(LoadSpec Load, TimeSpan Timeout, long PerConnection);

/// <summary>A load model of requests.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "model")]
[JsonDerivedType(typeof(Open), "open")]
[JsonDerivedType(typeof(Closed), "closed")]
[JsonDerivedType(typeof(Heartbeat), "heartbeat")]
public abstract record LoadSpec
{
    private LoadSpec()
    {
    }

    /// <summary>So many per second over the whole run, independent of answers.</summary>
    public sealed record Open(double RequestsPerSecond) : LoadSpec;

    /// <summary>So long after an answer the next; may be zero.</summary>
    public sealed record Closed(TimeSpan ThinkTime) : LoadSpec;

    /// <summary>Each connection once in so long, spread evenly over all.</summary>
    public sealed record Heartbeat(TimeSpan Every) : LoadSpec;
}
