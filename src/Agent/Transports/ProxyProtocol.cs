namespace LoadHarness.Agent.Transports;

/// <summary>How a connection tells a proxy or server whom it comes from, before its first byte.</summary>
public enum ProxyProtocol
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>A line of text.</summary>
    V1,

    /// <summary>A binary header.</summary>
    V2,
}
