namespace LoadHarness.Coordinator.Specs;

/// <summary>How a target is spoken to.</summary>
public enum TargetScheme
{
    /// <summary><c>tcp://</c>, or none.</summary>
    Tcp,

    /// <summary><c>tls://</c></summary>
    Tls,

    /// <summary><c>http://</c></summary>
    Http,

    /// <summary><c>https://</c></summary>
    Https,
}

/// <summary>What follows from a scheme.</summary>
public static class TargetSchemes
{
    /// <summary>Whether connections begin with a TLS handshake.</summary>
    public static bool IsTls(this TargetScheme scheme) => scheme is TargetScheme.Tls or TargetScheme.Https;

    /// <summary>Whether connections carry HTTP requests unless something else is said.</summary>
    public static bool IsHttp(this TargetScheme scheme) => scheme is TargetScheme.Http or TargetScheme.Https;
}
