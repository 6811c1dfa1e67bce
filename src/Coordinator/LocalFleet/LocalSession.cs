using System.Collections.Concurrent;
using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>
/// A coordinator in this process with its children around it. Nothing of it outlives the process: children watch a
/// pipe and their parent, the directory's lock tells the next run what to clean away.
/// </summary>
public sealed class LocalSession : IAsyncDisposable
{
    /// <summary>How long children have to go by themselves once they are no longer needed.</summary>
    private static readonly TimeSpan _stopGrace = TimeSpan.FromSeconds(5);

    private readonly AgentProgram _program;
    private readonly RunDirectory _directory;
    private readonly ILocalCoordinator _coordinator;
    private readonly ChildStarter _starter = new();
    private readonly ConcurrentQueue<ChildProcess> _children = [];

    private LocalSession(AgentProgram program, RunDirectory directory, ILocalCoordinator coordinator)
    {
        _program = program;
        _directory = directory;
        _coordinator = coordinator;
    }

    /// <summary>Raised, on a pool thread, when a child has ended that nobody had asked to.</summary>
    public event Action<ChildProcess, ChildExit>? Died;

    /// <summary>Socket, credential and logs.</summary>
    public RunPaths Paths => _directory.Paths;

    /// <summary>Cleans away what dead runs left behind and starts a coordinator.</summary>
    /// <exception cref="LocalFleetException">This machine does not let us; the message says what to do.</exception>
    public static async Task<LocalSession> StartAsync(
        RuntimeRoot root, AgentProgram program, StartCoordinator start, TimeProvider time, CancellationToken cancel)
    {
        root.Ensure();
        root.RemoveStale(time.GetUtcNow());
        var directory = RunDirectory.Create(root, time.GetUtcNow());
        try
        {
            return new(program, directory, await start(directory.Paths, cancel));
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Starts agents that join this coordinator.</summary>
    /// <param name="count">How many.</param>
    /// <param name="allow">What they may connect to.</param>
    /// <param name="allowProvision">Where they may add source addresses, <c>CIDR@DEV</c>.</param>
    /// <exception cref="LocalFleetException">The program cannot be executed.</exception>
    public async Task StartAgentsAsync(int count, ImmutableArray<Destination> allow, ImmutableArray<string> allowProvision)
    {
        for (var i = 1; i <= count; i++)
        {
            var name = $"local-{i}";
            var arguments = AgentArguments.Join(Paths, name, allow, allowProvision);
            await StartAsync(new ChildSpec(name, _program, arguments, Paths.LogOf(name)));
        }
    }

    /// <summary>Starts a backend that joins this coordinator.</summary>
    /// <param name="addresses">Where it listens: loopback addresses.</param>
    /// <param name="ports">Where it may listen.</param>
    /// <exception cref="LocalFleetException">The program cannot be executed.</exception>
    public Task StartBackendAsync(IEnumerable<IpAddress> addresses, ImmutableArray<PortSpan> ports)
    {
        const string Name = "local-backend";
        return StartAsync(new ChildSpec(Name, _program, AgentArguments.JoinAsBackend(Paths, Name, addresses, ports), Paths.LogOf(Name)));
    }

    /// <summary>Kills every child and waits until the kernel has given all of them back.</summary>
    public Task KillChildrenAsync() => Task.WhenAll(_children.Select(c => c.StopAsync(TimeSpan.Zero)));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_children.Select(c => c.StopAsync(_stopGrace)));
        await _coordinator.DisposeAsync();
        foreach (var child in _children)
            await child.DisposeAsync();
        _starter.Dispose();
        _directory.Dispose();
    }

    private async Task StartAsync(ChildSpec spec)
    {
        var child = await _starter.StartAsync(spec);
        _children.Enqueue(child);
        _ = ReportAsync(child);
    }

    private async Task ReportAsync(ChildProcess child)
    {
        var exit = await child.Exited;
        // First the user, then the coordinator, which may end the run over it.
        if (!exit.Asked)
            Died?.Invoke(child, exit);
        _coordinator.ReportExited(child.Spec.Name, exit.How);
    }
}
