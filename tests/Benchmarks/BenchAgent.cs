using LoadHarness.V1;

namespace LoadHarness.Benchmarks;

/// <summary>The agent's program, steered over its real link by a coordinator of its own. Both end when it is disposed.</summary>
internal sealed class BenchAgent : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder;
    private readonly RunningProgram _agent;

    private BenchAgent(DirectoryInfo folder, BenchCoordinator coordinator, RunningProgram agent) =>
        (_folder, Coordinator, _agent) = (folder, coordinator, agent);

    /// <summary>What it works for.</summary>
    public BenchCoordinator Coordinator { get; }

    /// <summary>Starts it; it has no work yet.</summary>
    /// <param name="program">Path of the published agent.</param>
    /// <param name="pinned">To the core of the load programs: it starts one reactor then, unless its share needs more.</param>
    public static async Task<BenchAgent> StartAsync(string program, bool pinned = true)
    {
        var folder = Directory.CreateTempSubdirectory("loadharness-bench-");
        var socket = Path.Combine(folder.FullName, "coordinator.sock");
        var coordinator = await BenchCoordinator.StartAsync(socket);
        string[] join = ["join", $"unix:{socket}", "--id", "bench"];
        var agent = new BenchAgent(folder, coordinator, pinned ? RunningProgram.Pinned(program, join) : new RunningProgram(program, join));
        await coordinator.Attached.Task.WaitAsync(_patience);
        return agent;
    }

    /// <summary>Has it work with a goal of one connection: reactors are up and their base is in memory.</summary>
    /// <param name="work">What comes next.</param>
    /// <param name="settle">Samples to wait for.</param>
    /// <returns>The last of them.</returns>
    public async Task<Sample> WarmUpAsync(Assignment work, int settle)
    {
        Coordinator.Assign(BenchWork.WithGoal(work, 1), Phase.Prepared);
        await Coordinator.ReachedAsync(Phase.Prepared);
        Coordinator.Assign(BenchWork.WithGoal(work, 1), Phase.Running);
        return await UntilAsync(established: 1, settle);
    }

    /// <summary>Waits until so many connections are held, and some samples more.</summary>
    /// <returns>The last of them.</returns>
    public async Task<Sample> UntilAsync(long established, int settle)
    {
        while (true)
        {
            var sample = await Coordinator.NextSampleAsync();
            if (sample.Gauges.Established == (ulong)established && --settle <= 0)
                return sample;
        }
    }

    /// <summary>Has it close everything.</summary>
    public async Task DrainAsync(Assignment work)
    {
        Coordinator.Assign(work, Phase.Drained);
        await Coordinator.ReachedAsync(Phase.Drained);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _agent.Dispose();
        await Coordinator.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
