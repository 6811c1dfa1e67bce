using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Store;
using LoadHarness.V1;
using Microsoft.Extensions.Time.Testing;

namespace LoadHarness.Coordinator.Tests.Fleet;

/// <summary>A real coordinator on a socket of its own whose clock goes on only when the test says so.</summary>
internal sealed class FleetFixture : IAsyncDisposable
{
    // Awkward on purpose: nothing falls on the second by chance.
    private static readonly TimeSpan _step = TimeSpan.FromMilliseconds(97);

    private static readonly TimeSpan _longestStep = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<FakeAgent> _agents = [];
    private readonly DirectoryInfo _directory;
    private readonly CoordinatorChannel _channel;
    private readonly CoordinatorStore _store;
    private static readonly RateLimits _untroubled = new() { CallBurst = 1_000_000 };

    private FleetFixture(DirectoryInfo directory, CoordinatorHost host, FakeTimeProvider time, ListLog log)
    {
        (_directory, Host, Time, Log, _store) = (directory, host, time, log, host.Store);
        Credential = CredentialFile.Read(CredentialPath);
        _channel = CoordinatorChannel.ForSocket(SocketPath, Credential);
        Control = new Control.ControlClient(_channel.Invoker);
        Clock = new CoordinatorClock(time);
    }

    public CoordinatorHost Host { get; }

    public FakeTimeProvider Time { get; }

    public CoordinatorClock Clock { get; }

    /// <summary>Warnings and errors of the coordinator.</summary>
    public ListLog Log { get; }

    public Credential Credential { get; }

    public Control.ControlClient Control { get; }

    public string SocketPath => Path.Combine(_directory.FullName, "coordinator.sock");

    /// <summary>Where it keeps everything.</summary>
    public string DirectoryPath => _directory.FullName;

    public string StorePath => Path.Combine(_directory.FullName, "store.db");

    public string CredentialPath => Path.Combine(_directory.FullName, "credential");

    /// <summary>Starts one.</summary>
    /// <param name="configure">Other terms.</param>
    /// <param name="storeOf">A directory with a store that this one goes on with: a copy, as a process that was killed leaves it.</param>
    /// <param name="at">What time it is by every clock; null: another machine's.</param>
    /// <param name="rates">Limits for callers; null: as many calls as tests make that look again and again while no time passes.</param>
    public static async Task<FleetFixture> StartAsync(
        Func<FleetOptions, FleetOptions>? configure = null, string? storeOf = null, DateTimeOffset? at = null, RateLimits? rates = null)
    {
        var directory = Directory.CreateTempSubdirectory("lh-fleet-");
        foreach (var left in storeOf is null ? [] : Directory.GetFiles(storeOf, "store.db*"))
            File.Copy(left, Path.Combine(directory.FullName, Path.GetFileName(left)));
        if (storeOf is not null && Directory.Exists(Path.Combine(storeOf, "keys")))
        {
            var keys = Directory.CreateDirectory(Path.Combine(directory.FullName, "keys"), SafeFile.OwnerOnlyDirectory);
            foreach (var key in Directory.GetFiles(Path.Combine(storeOf, "keys")))
                File.Copy(key, Path.Combine(keys.FullName, Path.GetFileName(key)));
        }

        var time = new FakeTimeProvider(at ?? new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero));
        var log = new ListLog();
        var host = await CoordinatorHost.StartAsync(new CoordinatorHostOptions
        {
            SocketPath = Path.Combine(directory.FullName, "coordinator.sock"),
            CredentialPath = Path.Combine(directory.FullName, "credential"),
            StorePath = Path.Combine(directory.FullName, "store.db"),
            Fleet = configure?.Invoke(new FleetOptions()) ?? new FleetOptions(),
            Rates = rates ?? _untroubled,
            Time = time,
            Log = log,
        });
        return new FleetFixture(directory, host, time, log);
    }

    /// <summary>An agent that takes part in the passing of time.</summary>
    public async Task<FakeAgent> AttachAsync(Hello hello)
    {
        var agent = await FakeAgent.DialAsync(SocketPath, Credential, hello, Clock);
        _agents.Enqueue(agent);
        return agent;
    }

    /// <summary>As <see cref="AttachAsync(Hello)"/> with a sound Hello.</summary>
    public Task<FakeAgent> AttachAsync(string id) => AttachAsync(FakeAgent.MakeHello(id));

    /// <summary>Lets time pass.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += _step)
            await StepAsync();
    }

    /// <summary>Lets time pass until something is so.</summary>
    /// <param name="condition">What the test waits for.</param>
    /// <param name="atMost">Coordinator time after which it never will be.</param>
    /// <param name="what">For the message.</param>
    public async Task UntilAsync(Func<bool> condition, TimeSpan atMost, string what)
    {
        for (var passed = TimeSpan.Zero; !condition(); passed += _step)
        {
            if (passed > atMost)
            {
                var run = Host.Runs.All.IsEmpty ? "no run" : Host.Runs.All[0].Snapshot.Value.ToString();
                Assert.Fail($"after {atMost} of coordinator time still not: {what}\n{run}\n{string.Join('\n', Log.Lines)}");
            }

            await StepAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
            await agent.DisposeAsync();
        _channel.Dispose();
        await Host.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    /// <summary>A plain connection to the socket, for tests of what comes before gRPC.</summary>
    public Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }

    // Time goes on only after every agent's heartbeat was answered, and after what came of it has been done and stored: however slow machine
    // and disk are, no agent seems silent and no deadline passes.
    private async Task StepAsync()
    {
        Time.Advance(_step);
        foreach (var agent in _agents.ToArray())
            await agent.TickAsync();
        var begun = Stopwatch.GetTimestamp();
        do
            await Task.Delay(2);
        while ((_store.Waiting > 0 || ThreadPool.PendingWorkItemCount > 0) && Stopwatch.GetElapsedTime(begun) < _longestStep);
    }
}
