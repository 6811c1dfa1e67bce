using System.Collections.Immutable;
using LoadHarness.Agent.Preflight;
using Wire = LoadHarness.V1;

namespace LoadHarness.Agent.Link;

/// <content>What a coordinator asks about this host, and the answer.</content>
internal static partial class WireTranslation
{
    /// <summary>Null: what the host is good for by itself.</summary>
    public static HostNeed? ToNeed(Wire.HostNeed? need) => need is null ? null : new()
    {
        Connections = (long)Math.Min(need.Connections, long.MaxValue),
        BothEnds = need.BothEnds,
        ConnectsPerSecond = need.ConnectsPerSecond,
        ClosesPerSecond = need.ClosesPerSecond,
        Accepts = need.Accepts,
        Tuples = (long)Math.Min(need.Tuples, long.MaxValue),
    };

    public static Wire.AttachRequest ToAnswer(ulong id, ImmutableArray<HostCheck> checks) =>
        new() { CheckAnswer = new() { Id = id, Checks = { checks.Select(ToMessage) } } };

    private static Wire.HostCheck ToMessage(HostCheck check) => new()
    {
        Name = check.Name,
        Value = check.Value,
        Needed = check.Needed,
        Verdict = check.Verdict,
        Remedy = check.Remedy,
        Risk = check.Risk,
        Sysctls = { check.Sysctls },
    };
}
