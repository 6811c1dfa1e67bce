using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>Processors against the rate: a connect with its close costs 25 us of CPU where both ends are here, about half of it for one end.</summary>
internal static class CoresCheck
{
    private const string Name = "cores";
    private const double SecondsPerPair = 25e-6;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        var each = need is { BothEnds: true } ? SecondsPerPair : SecondsPerPair / 2;
        var value = $"{host.Cores}, good for about {Amount.Count((long)(host.Cores / each / 1_000) * 1_000)} connects/s";
        if (need is not { ConnectsPerSecond: > 0 })
            return new(Name, value, Verdict.Ok) { Needed = $"{each * 1e6:0} us of CPU a connect" };
        var wanted = need.ConnectsPerSecond * each;
        var needed = $"{wanted:0.0}: {Amount.Rate(need.ConnectsPerSecond)} connects at {each * 1e6:0} us of CPU{(need.BothEnds ? ", both ends" : "")}";
        return wanted <= host.Cores
            ? new(Name, value, Verdict.Ok) { Needed = needed }
            : new(Name, value, Verdict.Warning) { Needed = needed, Remedy = "a slower ramp, or more hosts", Risk = "above it the tool is the limit, and the report says so" };
    }
}
