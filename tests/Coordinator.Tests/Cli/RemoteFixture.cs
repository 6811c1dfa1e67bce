using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

/// <summary>
/// A coordinator that listens with real TLS and on real time, agents that open nothing, and command lines that talk to it over the network.
/// </summary>
internal sealed class RemoteFixture : IAsyncDisposable
{
    private static readonly TimeSpan _beat = TimeSpan.FromMilliseconds(200);

    private readonly TemporaryDirectory _directory = new();
    private readonly ConcurrentQueue<FakeAgent> _agents = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly ImmutableArray<string> _hosts;
    private CoordinatorHost? _host;
    private int _port;
    private Task _beating = Task.CompletedTask;

    private RemoteFixture(ImmutableArray<string> hosts)
    {
        _hosts = hosts;
        State = new StateDirectory(_directory.File("state"));
        State.Prepare();
        CertificateAuthority.Create(State, TimeSpan.FromDays(30), DateTimeOffset.UtcNow);
    }

    public StateDirectory State { get; }

    public CoordinatorHost Host => _host!;

    public int Port => _port;

    public bool Tls { get; private set; }

    public string Url => $"{(Tls ? "https" : "http")}://127.0.0.1:{_port}";

    public string Socket => _directory.File("coordinator.sock");

    public string Credential => _directory.File("credential");

    /// <summary>Names the coordinator with an operator's token.</summary>
    public string Options => $"--coordinator {Url} --ca {State.CaCertificate} --token-file {Token("op", TokenRole.Operator)}";

    /// <summary>Starts one.</summary>
    /// <param name="tls">False: plain, on loopback.</param>
    /// <param name="hosts">What its certificate is for.</param>
    /// <param name="issuedAt">When it was issued; null: now.</param>
    public static async Task<RemoteFixture> StartAsync(bool tls = true, ImmutableArray<string>? hosts = null, DateTimeOffset? issuedAt = null)
    {
        var fixture = new RemoteFixture(hosts ?? ["127.0.0.1", "localhost"]) { Tls = tls };
        if (tls)
            fixture.Issue(issuedAt ?? DateTimeOffset.UtcNow);
        await fixture.RestartAsync();
        return fixture;
    }

    /// <summary>Starts it again on its port and its store.</summary>
    public async Task RestartAsync()
    {
        _host = await CoordinatorHost.StartAsync(new CoordinatorHostOptions
        {
            SocketPath = Socket,
            CredentialPath = Credential,
            StorePath = State.Store,
            State = State,
            Listen = [new ListenAddress(new IPEndPoint(IPAddress.Loopback, _port), "127.0.0.1")],
            Log = new ListLog(),
        });
        _port = _host.Addresses[0].Endpoint.Port;
    }

    /// <summary>A file with a token.</summary>
    public string Token(string name, TokenRole role, DateTimeOffset? expires = null)
    {
        var path = _directory.File(name + ".token");
        if (File.Exists(path))
            return path;
        var secret = Coordinator.Security.Credential.Generate();
        SafeFile.Create(path, "token file", secret.Value, SafeFile.OwnerOnly);
        new TokenFile(State.Tokens).Change(tokens => tokens.Add(new Token
        {
            Name = name,
            Role = role,
            Sha256 = Coordinator.Security.Token.HashOf(secret.Value),
            Created = DateTimeOffset.UtcNow,
            Expires = expires,
        }));
        return path;
    }

    /// <summary>A file that only its owner reads.</summary>
    public string Secret(string name, string content)
    {
        var path = _directory.File(name);
        File.Delete(path);
        SafeFile.Create(path, "file", content, SafeFile.OwnerOnly);
        return path;
    }

    /// <summary>Lets an agent join, which beats from now on.</summary>
    public async Task<FakeAgent> AttachAsync(string id, Action<V1.Hello>? change = null)
    {
        var hello = FakeAgent.MakeHello(id);
        change?.Invoke(hello);
        var agent = await FakeAgent.DialAsync(Socket, CredentialFile.Read(Credential), hello, new CoordinatorClock(TimeProvider.System));
        _agents.Enqueue(agent);
        if (_agents.Count == 1)
            _beating = BeatAsync();
        return agent;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _beating;
        foreach (var agent in _agents)
            await agent.DisposeAsync();
        await Host.DisposeAsync();
        _directory.Dispose();
        _ending.Dispose();
    }

    private void Issue(DateTimeOffset at)
    {
        using var authority = CertificateAuthority.Load(State);
        var issued = authority.IssueServer(_hosts, TimeSpan.FromDays(10), at);
        SafeFile.PrepareDirectory(Path.GetDirectoryName(State.ServerKey)!);
        SafeFile.Create(State.ServerCertificate, "certificate", issued.Certificate, SafeFile.Public);
        SafeFile.Create(State.ServerKey, "key", issued.Key, SafeFile.OwnerOnly);
    }

    private async Task BeatAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            foreach (var agent in _agents.ToArray())
            {
                try
                {
                    await agent.TickAsync();
                }
                catch (Exception e) when (e is Grpc.Core.RpcException or InvalidOperationException or IOException or OperationCanceledException)
                {
                    // Its coordinator has ended.
                }
            }

            await Task.Delay(_beat, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
