using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using Microsoft.Extensions.Time.Testing;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>A real coordinator with a state folder, listening on loopback with TLS, and tokens of every kind.</summary>
internal sealed class SecureFixture : IAsyncDisposable
{
    private readonly TemporaryDirectory _temporary = new();
    private readonly Func<CoordinatorHostOptions, CoordinatorHostOptions> _configure;
    private readonly List<SecureClient> _clients = [];
    private CoordinatorHost? _host;

    private SecureFixture(Func<CoordinatorHostOptions, CoordinatorHostOptions>? configure)
    {
        _configure = configure ?? (o => o);
        State = new(_temporary.File("state"));
        CertificateAuthority.Create(State, TimeSpan.FromDays(3650), Now);
        TestCertificates.IssueServer(State, Now);
        Viewer = AddToken("viewer", TokenRole.Viewer);
        Operator = AddToken("operator", TokenRole.Operator);
        Join = AddToken("join", TokenRole.Agent, TimeSpan.FromHours(24));
    }

    public StateDirectory State { get; }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero));

    public ListLog Log { get; } = new();

    public DateTimeOffset Now => Time.GetUtcNow();

    public CoordinatorHost Host => _host!;

    /// <summary>Secrets of tokens.</summary>
    public string Viewer { get; }

    public string Operator { get; }

    public string Join { get; }

    public string SocketPath => _temporary.File("run/coordinator.sock");

    public string CredentialPath => _temporary.File("run/credential");

    public Credential Local => CredentialFile.Read(CredentialPath);

    public int Port => Host.Addresses[0].Endpoint.Port;

    /// <summary>Starts one with a state folder of its own.</summary>
    public static async Task<SecureFixture> StartAsync(Func<CoordinatorHostOptions, CoordinatorHostOptions>? configure = null)
    {
        var fixture = new SecureFixture(configure);
        await fixture.RestartAsync();
        return fixture;
    }

    /// <summary>Ends the coordinator and starts another one on the same state.</summary>
    public async Task RestartAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        _host = await CoordinatorHost.StartAsync(_configure(new CoordinatorHostOptions
        {
            SocketPath = SocketPath,
            CredentialPath = CredentialPath,
            StorePath = State.Store,
            State = State,
            Listen = [new(new(IPAddress.Loopback, 0), "127.0.0.1")],
            Time = Time,
            Log = Log,
        }));
    }

    /// <summary>Makes a token and gives its secret.</summary>
    public string AddToken(string name, TokenRole role, TimeSpan? validity = null, params (string Key, string Value)[] labels)
    {
        var secret = Credential.Generate().Value;
        State.Prepare();
        new TokenFile(State.Tokens).Change(tokens => tokens.Add(new Token
        {
            Name = name,
            Role = role,
            Sha256 = Token.HashOf(secret),
            Created = Now,
            Expires = Now + validity,
            Labels = labels.ToImmutableSortedDictionary(l => l.Key, l => l.Value, StringComparer.Ordinal),
        }));
        return secret;
    }

    /// <summary>A client over TLS that trusts the fixture's authority and nobody else.</summary>
    public SecureClient Dial(string? token = null, X509Certificate2? certificate = null) =>
        Keep(SecureClient.OverTls(new(IPAddress.Loopback, Port), AuthorityCertificate(), Now, token, certificate));

    /// <summary>A client over the Unix socket.</summary>
    public SecureClient DialSocket(string? token) => Keep(SecureClient.OverSocket(SocketPath, token));

    public X509Certificate2 AuthorityCertificate() => X509CertificateLoader.LoadCertificateFromFile(State.CaCertificate);

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(c => c.Dispose());
        await Host.DisposeAsync();
        _temporary.Dispose();
    }

    private SecureClient Keep(SecureClient client)
    {
        _clients.Add(client);
        return client;
    }
}
