using System.Collections.Immutable;
using LoadHarness.Coordinator.Cli;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Cli.LiveView;

/// <summary>Runs at interesting moments.</summary>
internal static class Samples
{
    public static RunView Holding() => new()
    {
        Id = "7f3a",
        State = RunState.Holding,
        Connections = 50_000,
        Targets = ["127.0.0.1:9000-9009"],
        Plan = new(["50,000 connections"], 50_000, TimeSpan.FromSeconds(12), TimeSpan.FromSeconds(45)),
        Progress = new()
        {
            Elapsed = TimeSpan.FromSeconds(27),
            Goal = 50_000,
            Connecting = 12,
            Established = 50_000,
            Closing = 3,
            OpenRate = 4_167,
            Opened = 50_012,
            Failed = 12,
            Failures =
            [
                new(FailureStage.Connect, FailureParty.Network, FailureCause.Timeout, 0, 3),
                new(FailureStage.Connect, FailureParty.Target, FailureCause.Refused, 111, 9),
            ],
            Agents = [Agent("local-1"), Agent("local-2")],
            Kernel = new(
                ImmutableDictionary<TcpState, long>.Empty.Add(TcpState.Established, 49_998).Add(TcpState.SynSent, 12),
                TimeSpan.FromSeconds(0.4), 0, ""),
        },
    };

    public static RunView Crowded(int agents)
    {
        var run = Holding();
        var causes = Enum.GetValues<FailureCause>();
        return run with
        {
            Name = new string('x', 100),
            Progress = run.Progress! with
            {
                Saturated = true,
                Kernel = new(Enum.GetValues<TcpState>().ToImmutableDictionary(s => s, s => 123_456_789L + (long)s), TimeSpan.FromHours(3), 17, ""),
                Failures = [.. causes.Select(c => new FailureView(FailureStage.TlsHandshake, FailureParty.Us, c, 5, 1_000_000))],
                Agents =
                [
                    .. Enumerable.Range(1, agents - 1).Select(i => Agent($"agent-with-a-rather-long-name-{i:000}")),
                    Agent("lost-agent") with { Lost = true },
                ],
            },
        };
    }

    private static AgentProgressView Agent(string id) => new(id, 25_000, 25_000, 2_083, 0, 0.12, 45L << 20, false, false);
}
