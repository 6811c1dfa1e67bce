namespace LoadHarness.Coordinator.Specs;

/// <summary>What a user asks of TLS, as it arrived; files have been read. Nothing is checked yet; null and empty mean not given.</summary>
public sealed record TlsInput
{
    /// <summary><c>1.2</c> or <c>1.3</c>.</summary>
    public string? Min { get; init; }

    /// <summary><c>1.2</c> or <c>1.3</c>.</summary>
    public string? Max { get; init; }

    /// <summary>SNI, and the name that certificates must be for.</summary>
    public string? ServerName { get; init; }

    /// <summary>Take any certificate.</summary>
    public bool Insecure { get; init; }

    /// <summary>PEM.</summary>
    public ReadOnlyMemory<byte> Authorities { get; init; }

    /// <summary>PEM.</summary>
    public ReadOnlyMemory<byte> Certificate { get; init; }

    /// <summary>PEM.</summary>
    public ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>With commas between.</summary>
    public string? Alpn { get; init; }

    /// <summary>TLS 1.2.</summary>
    public string? Ciphers { get; init; }

    /// <summary>TLS 1.3.</summary>
    public string? CipherSuites { get; init; }

    /// <summary>For the key exchange.</summary>
    public string? Groups { get; init; }

    /// <summary><c>never</c>, <c>always</c> or a part: <c>30%</c>.</summary>
    public Quantity<double>? Resume { get; init; }

    /// <summary><c>keep</c> or <c>release</c>.</summary>
    public string? Idle { get; init; }

    /// <summary><c>proper</c> or <c>quiet</c>.</summary>
    public string? Shutdown { get; init; }

    /// <summary>The fields that were given.</summary>
    public IEnumerable<string> Given => new (string Field, bool Given)[]
    {
        ("--tls-min", Min is not null), ("--tls-max", Max is not null), ("--tls-sni", ServerName is not null), ("--tls-insecure", Insecure),
        ("--tls-ca", !Authorities.IsEmpty), ("--tls-cert", !Certificate.IsEmpty), ("--tls-key", !Key.IsEmpty), ("--tls-alpn", Alpn is not null),
        ("--tls-ciphers", Ciphers is not null), ("--tls-suites", CipherSuites is not null), ("--tls-groups", Groups is not null),
        ("--tls-resume", Resume is not null), ("--tls-idle", Idle is not null), ("--tls-shutdown", Shutdown is not null),
    }.Where(f => f.Given).Select(f => f.Field);
}
