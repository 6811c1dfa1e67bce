using System.Globalization;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Benches;

/// <summary>A network namespace and a runtime directory of their own, and the programs that run there.</summary>
public sealed class Bench : IAsyncDisposable
{
    /// <summary>For what happens at once on a machine that has nothing else to do. Reached only where a test fails.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(90);

    /// <summary>For whole runs.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly ProgramGroup _programs = new();

    private Bench(NetworkNamespace space) => (Namespace, Sockets) = (space, new SocketStatistics(space));

    /// <summary>Where everything runs.</summary>
    public NetworkNamespace Namespace { get; }

    /// <summary>The sockets in it, as the system's own tools count them.</summary>
    public SocketStatistics Sockets { get; }

    /// <summary>The agent that coordinators start: the published one.</summary>
    public string AgentProgram { get; set; } = Programs.AotAgent;

    /// <summary>The file that OpenSSL takes for the system's roots; null: this machine's.</summary>
    public string? SystemRoots { get; set; }

    /// <summary>Makes one.</summary>
    public static Bench Create() => new(NetworkNamespace.Create());

    /// <summary>Starts <c>loadharness</c>.</summary>
    public ProgramProcess LoadHarness(params string[] arguments) => _programs.Start(LoadHarnessStart(arguments));

    /// <summary>Starts <c>loadharness</c> with a line as one types it, without quotes.</summary>
    public ProgramProcess LoadHarnessLine(string line) => LoadHarness(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Runs <c>loadharness</c> to its end.</summary>
    public async Task<ProgramResult> RunAsync(string line, TimeSpan? timeout = null) =>
        await FinishAsync(LoadHarnessLine(line), timeout ?? Patience);

    /// <summary>Waits for the end of a program.</summary>
    public static async Task<ProgramResult> FinishAsync(ProgramProcess process, TimeSpan? timeout = null)
    {
        var code = await process.WaitForExitAsync(timeout ?? Patience);
        return new(process.What, code, process.Log.Output, process.Log.Error, process.Log.Everything);
    }

    /// <summary>Starts the agent's program.</summary>
    public ProgramProcess Agent(params string[] arguments) =>
        _programs.Start(new ProgramStart(AgentProgram, [.. arguments]) { Namespace = Namespace }.With("DOTNET_ROOT", Programs.DotnetRoot));

    /// <summary>Starts a backend and returns when it accepts on every port.</summary>
    /// <param name="listen">Address and ports: <c>127.0.0.1:9000-9009</c>.</param>
    /// <param name="options">Such as <c>--http</c>.</param>
    public Task<ProgramProcess> BackendAsync(string listen, params string[] options) =>
        ListeningAsync(Agent(["backend", "--listen", listen, .. options]), listen);

    /// <summary>Starts a backend that has a small descriptor limit.</summary>
    public Task<ProgramProcess> BackendAsync(string listen, int descriptors, params string[] options)
    {
        var start = new ProgramStart("prlimit", [$"--nofile={descriptors}", AgentProgram, "backend", "--listen", listen, .. options]) { Namespace = Namespace };
        return ListeningAsync(_programs.Start(start.With("DOTNET_ROOT", Programs.DotnetRoot)), listen);
    }

    private async Task<ProgramProcess> ListeningAsync(ProgramProcess backend, string listen)
    {
        var ports = listen[(listen.LastIndexOf(':') + 1)..].Split('-').Select(p => int.Parse(p, CultureInfo.InvariantCulture)).ToList();
        await EventuallyAsync(
            () => Sockets.Lines("listening", $"( sport >= :{ports[0]} and sport <= :{ports[^1]} )").Length > ports[^1] - ports[0],
            () => $"{backend} does not listen on {listen}; it wrote:\n{backend.Log.Everything}",
            giveUp: () => backend.HasExited);
        return backend;
    }

    /// <summary>What <c>runs show --json</c> says.</summary>
    public async Task<Json> ShowAsync()
    {
        var shown = await RunAsync("runs show --json", Soon);
        Assert.That(shown.ExitCode, Is.Zero, shown.Log);
        return Json.Parse(shown.Output);
    }

    /// <summary>What <c>runs show --json</c> says once its kernel view, which is read now and then, has come to a number.</summary>
    public Task<Json> ShowOnceKernelSaysAsync(long established) => ShowOnceAsync(
        s => s.Has("progress.kernel") && s.Number("progress.kernel.established") == established, $"the kernel view does not come to {established} ESTABLISHED");

    /// <summary>What <c>runs show --json</c> says once it says something: samples come each second.</summary>
    public async Task<Json> ShowOnceAsync(Func<Json, bool> isSo, string otherwise)
    {
        Json shown = null!;
        await EventuallyAsync(async () => isSo(shown = await ShowAsync()), () => $"{otherwise}:\n{shown}");
        return shown;
    }

    /// <summary>Waits until something is so.</summary>
    public static Task EventuallyAsync(Func<bool> isSo, Func<string> otherwise, TimeSpan? timeout = null, Func<bool>? giveUp = null) =>
        EventuallyAsync(() => Task.FromResult(isSo()), otherwise, timeout, giveUp);

    /// <inheritdoc cref="EventuallyAsync(Func{bool}, Func{string}, TimeSpan?, Func{bool}?)"/>
    public static async Task EventuallyAsync(Func<Task<bool>> isSo, Func<string> otherwise, TimeSpan? timeout = null, Func<bool>? giveUp = null)
    {
        for (var end = DateTime.UtcNow + (timeout ?? Soon); ; await Task.Delay(50))
        {
            // Before the look: what has become so while the machine stood still is seen.
            var isLast = DateTime.UtcNow > end || giveUp?.Invoke() == true;
            if (await isSo())
                return;
            if (isLast)
                Assert.Fail(otherwise());
        }
    }

    /// <summary>All that its programs wrote, their children's logs included.</summary>
    public string Describe() => _programs.Describe();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _programs.DisposeAsync();
        Namespace.Dispose();
    }

    private ProgramStart LoadHarnessStart(string[] arguments)
    {
        var start = new ProgramStart(Programs.LoadHarness, [.. arguments]) { Namespace = Namespace }
            .With("LOADHARNESS_AGENT", AgentProgram)
            .With("XDG_RUNTIME_DIR", _programs.Directory)
            .With("DOTNET_ROOT", Programs.DotnetRoot);
        return SystemRoots is { } roots ? start.With("SSL_CERT_FILE", roots) : start;
    }
}
