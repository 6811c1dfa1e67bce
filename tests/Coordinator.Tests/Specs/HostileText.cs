using CsCheck;

namespace LoadHarness.Coordinator.Tests.Specs;

/// <summary>Texts that nearly mean something, and texts that mean nothing at all.</summary>
internal static class HostileText
{
    private static readonly string[] _pieces =
    [
        "tcp://", "[", "]", "::", "::1", ":", "-", "/", ",", ".", "..", "0", "1", "65535", "70000", "10.0.0.1", "255.255.255.255",
        "auto", "k", "M", "s",
        "ms", "h", "/s", "/33", "/-1", "%eth0", " ", "\0", "\u00e9", "\ud800", "99999999999999999999", "1e9", "+", "\u0663", "ffff:",
        "@", "\n", "_", "=", "weight=", "dev:", "eth0", "/24", "/128",
    ];

    /// <summary>Any of them.</summary>
    public static Gen<string> Any { get; } =
        Gen.OneOf(Gen.Int[0, _pieces.Length - 1].Select(i => _pieces[i]).Array[0, 12].Select(string.Concat), Gen.String[0, 80]);
}
