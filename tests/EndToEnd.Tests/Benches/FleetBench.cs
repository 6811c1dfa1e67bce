using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Benches;

/// <summary>
/// A coordinator that serves over TLS on a host of its own, and whatever hosts a test plugs into the same switch. Its
/// users sit on the coordinator's host. Keys, tokens and state lie below one directory.
/// </summary>
public sealed class FleetBench : IAsyncDisposable
{
    /// <summary>The coordinator's address; hosts of tests have others in 10.77.0.0/16.</summary>
    public const string Address = "10.77.0.1";

    /// <summary>Where it serves.</summary>
    public const string Url = $"https://{Address}:7443";

    private readonly ProgramGroup _programs = new();
    private readonly long _made = Standstills.Now;

    private FleetBench()
    {
        Lan = Lan.Create();
        Host = Lan.AddHost($"{Address}/16");
        Directory.CreateDirectory(PathOf("home"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>The switch.</summary>
    public Lan Lan { get; }

    /// <summary>The coordinator's host.</summary>
    public NetworkNamespace Host { get; }

    /// <summary>The running coordinator.</summary>
    public ProgramProcess Coordinator { get; private set; } = null!;

    /// <summary>The agent's program: the published one.</summary>
    public string AgentProgram { get; set; } = Programs.AotAgent;

    /// <summary>A file or folder of this bench.</summary>
    public string PathOf(string name) => Path.Combine(_programs.Directory, name);

    /// <summary>The certificate of the coordinator's CA.</summary>
    public string Ca => PathOf("state/ca/ca.pem");

    /// <summary>Makes one whose CA, certificate, operator <c>ops</c>, viewer <c>guest</c> and join token <c>fleet</c> are there.</summary>
    public static async Task<FleetBench> CreateAsync()
    {
        var bench = new FleetBench();
        await bench.MustAsync("certs init");
        await bench.MustAsync($"certs issue server --host {Address}");
        await bench.MustAsync($"tokens create ops --role operator --out {bench.PathOf("ops.token")}");
        await bench.MustAsync($"tokens create guest --role viewer --out {bench.PathOf("guest.token")}");
        await bench.MustAsync($"tokens create fleet --role agent --out {bench.PathOf("fleet.token")}");
        return bench;
    }

    /// <summary>Starts the coordinator and returns when it listens.</summary>
    public Task ServeAsync(params string[] options) => ServeWithAsync([], options);

    /// <summary>As <see cref="ServeAsync"/>, with variables of its environment.</summary>
    public async Task ServeWithAsync((string Name, string Value)[] variables, params string[] options)
    {
        var start = ProgramOf(["serve", "--listen", $"{Address}:7443", .. options, "--state", PathOf("state")]);
        Coordinator = _programs.Start(variables.Aggregate(start, (s, v) => s.With(v.Name, v.Value)));
        await Bench.EventuallyAsync(
            () => new SocketStatistics(Host).Lines("listening", "( sport = :7443 )").Length > 0,
            () => $"the coordinator does not listen:\n{Coordinator.Log.Everything}",
            giveUp: () => Coordinator.HasExited);
    }

    /// <summary>Starts an agent that joins with the fleet's token.</summary>
    /// <param name="host">Where.</param>
    /// <param name="id">Its identity, and the name of its state folder.</param>
    /// <param name="options">Beside those that every agent has, without quotes.</param>
    public ProgramProcess Agent(NetworkNamespace host, string id, string options = "") =>
        AgentStart(host, JoinArguments(id, options));

    /// <summary>Starts the agent's program with arguments of the test's own.</summary>
    public ProgramProcess AgentStart(NetworkNamespace host, params string[] arguments) => _programs.Start(
        new ProgramStart(AgentProgram, [.. arguments]) { Namespace = host }.With("DOTNET_ROOT", Programs.DotnetRoot).With("HOME", PathOf("home")));

    /// <summary>As <see cref="Agent"/>, with the host's own /etc/hosts (<see cref="HostNames"/>).</summary>
    public ProgramProcess AgentWithNames(NetworkNamespace host, string id, string options) => _programs.Start(
        new ProgramStart("ip", ["netns", "exec", host.Name, AgentProgram, .. JoinArguments(id, options)]).With("HOME", PathOf("home")));

    /// <summary>Waits until the coordinator lists agents as idle.</summary>
    public Task IdleAsync(params string[] ids) => ListedAsync(ids, "attached and idle", a => a.Flag("connected") && a.Text("run").Length == 0);

    /// <summary>Waits until the coordinator lists agents as attached, whatever they do.</summary>
    public Task AttachedAsync(params string[] ids) => ListedAsync(ids, "attached", a => a.Flag("connected"));

    /// <summary>Starts <c>loadharness</c> as a user of the coordinator.</summary>
    /// <param name="line">As one types it, without quotes.</param>
    /// <param name="token">Name of the user.</param>
    public ProgramProcess User(string line, string token = "ops") => _programs.Start(ProgramOf(Words(line))
        .With("LOADHARNESS_COORDINATOR", Url)
        .With("LOADHARNESS_CA", Ca)
        .With("LOADHARNESS_TOKEN_FILE", PathOf($"{token}.token")));

    /// <summary>Runs <c>loadharness</c> as a user of the coordinator, to its end.</summary>
    public Task<ProgramResult> RunAsync(string line, string token = "ops", TimeSpan? timeout = null) =>
        Bench.FinishAsync(User(line, token), timeout);

    /// <summary>Starts <c>loadharness</c> on the coordinator's state folder, without an address or a token.</summary>
    public ProgramProcess Administer(params string[] arguments) => _programs.Start(ProgramOf([.. arguments, "--state", PathOf("state")]));

    /// <summary>Starts <c>loadharness</c> with just the arguments of the test.</summary>
    public ProgramProcess Bare(string line) => _programs.Start(ProgramOf(Words(line)));

    /// <summary>Starts any program on a host.</summary>
    public ProgramProcess Start(ProgramStart start) => _programs.Start(start);

    /// <summary>Fails when a run has seconds that an agent did not count, unless the machine stood still for as long.</summary>
    /// <param name="summary">The run's.</param>
    /// <param name="matters">Whether a gap does; null: each one.</param>
    public void ExpectNoGaps(Json summary, Func<Json, bool>? matters = null)
    {
        var gaps = summary.List("gaps").Where(matters ?? (_ => true)).ToList();
        var most = Standstills.SecondsSince(_made);
        foreach (var agent in gaps.GroupBy(g => g.Text("agent"), g => g.Number("toSecond") - g.Number("fromSecond")))
            Assert.That(agent.Sum(), Is.LessThanOrEqualTo(most), $"seconds that {agent.Key} did not count: {string.Join(", ", gaps)}");
        if (matters is null)
            Assert.That(summary.Number("result.heldMissingSeconds"), Is.LessThanOrEqualTo(most), "seconds of the hold that somebody did not count");
    }

    /// <summary>All that its programs wrote.</summary>
    public string Describe() => _programs.Describe();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _programs.DisposeAsync();
        Lan.Dispose();
    }

    private string[] JoinArguments(string id, string options) =>
        ["join", Url, "--id", id, "--state", PathOf($"agents/{id}"), "--ca", Ca, "--join-token-file", PathOf("fleet.token"), .. Words(options)];

    private async Task MustAsync(string line)
    {
        var result = await Bench.FinishAsync(Administer(Words(line)), Bench.Soon);
        Assert.That(result.ExitCode, Is.Zero, result.Log);
    }

    private ProgramStart ProgramOf(string[] arguments) => new ProgramStart(Programs.LoadHarness, [.. arguments]) { Namespace = Host }
        .With("XDG_RUNTIME_DIR", _programs.Directory)
        .With("HOME", PathOf("home"))
        .With("DOTNET_ROOT", Programs.DotnetRoot);

    private async Task ListedAsync(string[] ids, string how, Func<Json, bool> isSo)
    {
        ProgramResult listed = null!;
        await Bench.EventuallyAsync(
            async () => (listed = await RunAsync("agents list --json")).ExitCode == 0
                && Json.Parse(listed.Output).Elements.Where(isSo).Select(a => a.Text("id")).ToHashSet().IsSupersetOf(ids),
            () => $"{string.Join(", ", ids)} are not all {how}:\n{listed.Log}");
    }

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
