namespace LoadHarness.Benchmarks;

/// <summary>The agent's program, attached to a coordinator of its own.</summary>
internal sealed class BenchAgent : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loadharness-bench-");
    private RunningProgram? _program;

    private BenchAgent()
    {
    }

    /// <summary>What it works for.</summary>
    public BenchCoordinator Coordinator { get; private set; } = null!;

    /// <summary>Starts it on the second core; returns when it is attached.</summary>
    public static async Task<BenchAgent> StartAsync(string program)
    {
        var agent = new BenchAgent();
        var socket = Path.Combine(agent._folder.FullName, "coordinator.sock");
        agent.Coordinator = await BenchCoordinator.StartAsync(socket);
        agent._program = new RunningProgram("taskset", ["-c", "1", program, "join", $"unix:{socket}", "--id", "bench"]);
        await agent.Coordinator.Attached.Task.WaitAsync(TimeSpan.FromSeconds(60));
        return agent;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _program?.Dispose();
        await Coordinator.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
