using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>What tests of whole runs say often.</summary>
internal static class RunFixture
{
    /// <summary>Longer than any run here.</summary>
    public static readonly TimeSpan Long = TimeSpan.FromMinutes(4);

    /// <summary>A run of 2 s ramp and 4 s hold.</summary>
    public static RunSpec Spec(ulong connections, uint agents, double holdSeconds = 4) => new()
    {
        Targets = { "127.0.0.1:9000-9009" },
        Connections = connections,
        Ramp = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)),
        Hold = Duration.FromTimeSpan(TimeSpan.FromSeconds(holdSeconds)),
        Agents = agents,
        ReadyTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)),
    };

    /// <summary>Asks for a run.</summary>
    public static async Task<Run> CreateAsync(this FleetFixture fixture, RunSpec spec) =>
        await fixture.Control.CreateRunAsync(new() { Spec = spec });

    /// <summary>The latest run.</summary>
    public static Run Run(this FleetFixture fixture) => fixture.Control.GetRun(new());

    /// <summary>Lets time pass until the latest run is in a state.</summary>
    public static Task UntilAsync(this FleetFixture fixture, RunState state) =>
        fixture.UntilAsync(() => fixture.Host.Runs.All[0].Snapshot.Value.State == (Coordinator.Runs.RunState)state, Long, $"{state}");

    /// <summary>Lets time pass until the latest run has ended.</summary>
    public static async Task<(Run Run, JsonElement Summary)> EndAsync(this FleetFixture fixture)
    {
        await fixture.UntilAsync(() => fixture.Host.Runs.All[0].Ended.IsCompleted, Long, "ended");
        var run = fixture.Run();
        return (run, JsonDocument.Parse(run.SummaryJson).RootElement);
    }

    /// <summary>A number of the summary by its path.</summary>
    public static int ExitCode(this JsonElement summary) => summary.GetProperty("exitCode").GetInt32();

    /// <summary>The sentences of the summary.</summary>
    public static IEnumerable<string> Notes(this JsonElement summary) =>
        summary.GetProperty("notes").EnumerateArray().Select(n => n.GetString()!);
}
