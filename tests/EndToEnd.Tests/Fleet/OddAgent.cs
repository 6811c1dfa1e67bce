using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.V1;

namespace LoadHarness.EndToEnd.Tests.Fleet;

/// <summary>An agent that speaks the contract over TLS from a host of its own, opens nothing, and is odd in one way.</summary>
internal sealed partial class OddAgent : IAsyncDisposable
{
    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<AttachRequest, AttachResponse> _call;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Func<GrpcChannel> _another;
    private readonly CancellationTokenSource _ending = new();
    private Task _talking = Task.CompletedTask;
    private Task _beating = Task.CompletedTask;

    private OddAgent(GrpcChannel channel, Func<GrpcChannel> another, Hello hello, AsyncDuplexStreamingCall<AttachRequest, AttachResponse> call) =>
        (_channel, _another, Hello, _call) = (channel, another, hello, call);

    /// <summary>How it introduced itself.</summary>
    public Hello Hello { get; }

    /// <summary>What it answers to an assignment; null: nothing.</summary>
    public Func<Assignment, AssignmentStatus?> Respond { get; set; } = _ => null;

    /// <summary>Completes when it can send no heartbeats any more.</summary>
    public Task CutOff => _beating;

    /// <summary>Attaches with the fleet's join token.</summary>
    /// <returns>The agent, and the coordinator's first answer.</returns>
    /// <exception cref="RpcException">The coordinator will not have it.</exception>
    public static async Task<(OddAgent Agent, AttachResponse Answer)> DialAsync(
        FleetBench fleet, NetworkNamespace host, string id, Action<Hello> change, ECDsa? key = null)
    {
        var own = key ?? ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var channel = Channel(fleet, host, own);
        var token = (await File.ReadAllTextAsync(fleet.PathOf("fleet.token"))).Trim();
        var call = new AgentLink.AgentLinkClient(channel).Attach(new Metadata { { "authorization", $"Bearer {token}" } });
        var hello = MakeHello(host, id);
        change(hello);
        var agent = new OddAgent(channel, () => Channel(fleet, host, own), hello, call);
        try
        {
            await agent.SendAsync(new() { Hello = hello });
            using var patience = new CancellationTokenSource(Bench.Soon);
            Assert.That(await call.ResponseStream.MoveNext(patience.Token), Is.True, "an answer to Hello");
            var answer = call.ResponseStream.Current.Clone();
            agent.SessionId = answer.Welcome?.SessionId ?? "";
            if (answer.Welcome is not null)
                agent._talking = Task.WhenAll(agent.ListenAsync(), agent._beating = agent.BeatAsync());
            return (agent, answer);
        }
        catch
        {
            await agent.DisposeAsync();
            throw;
        }
    }

    /// <summary>The status of an agent that does what it is told.</summary>
    public static AssignmentStatus Obey(Assignment assignment) => new()
    {
        RunId = assignment.RunId,
        Revision = assignment.Revision,
        StoreId = assignment.StoreId,
        Phase = assignment.Phase,
    };

    /// <summary>Sends anything on Attach; waits for as long as the coordinator leaves it in the connection.</summary>
    public async Task SendAsync(AttachRequest request)
    {
        await _writing.WaitAsync();
        try
        {
            await _call.RequestStream.WriteAsync(request);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _call.Dispose();
        foreach (var channel in _uploads)
            channel.Dispose();
        await _talking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _channel.Dispose();
        _writing.Dispose();
        _ending.Dispose();
    }

    private static Hello MakeHello(NetworkNamespace host, string id) => new()
    {
        AgentId = id,
        Incarnation = Guid.NewGuid().ToString(),
        Role = AgentRole.Client,
        Version = Protocol.Version,
        Capabilities = { Capabilities.All.Except([Capabilities.Routes]) },
        Inventory = new()
        {
            Hostname = host.Name,
            NetworkNamespace = $"odd/{host.Name}",
            Cores = 2,
            ConnectionsPerReactor = 10_000,
            PrivateDescriptorTables = true,
            EphemeralPorts = new() { First = 32768, Last = 60999 },
            Addresses = { new HostAddress { Address = ByteString.CopyFrom(10, 77, 9, 1), PrefixLength = 16, Device = "eth0" } },
        },
    };

    private static GrpcChannel Channel(FleetBench fleet, NetworkNamespace host, ECDsa key)
    {
        var now = DateTimeOffset.UtcNow;
        var certificate = new CertificateRequest("CN=odd", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var authority = X509CertificateLoader.LoadCertificateFromFile(fleet.Ca);
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (context, _) => ValueTask.FromResult<Stream>(new NetworkStream(host.Enter(() => Connect(context.DnsEndPoint)), ownsSocket: true)),
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificates = [certificate],
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { authority },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        };
        return GrpcChannel.ForAddress(FleetBench.Url, new() { HttpHandler = handler, DisposeHttpClient = true });
    }

    private static Socket Connect(DnsEndPoint where)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Parse(where.Host), where.Port);
        return socket;
    }

    private async Task ListenAsync()
    {
        while (await _call.ResponseStream.MoveNext(_ending.Token))
        {
            await _reading.Task.WaitAsync(_ending.Token);
            if (_call.ResponseStream.Current.Assignment is { } assignment && Respond(assignment) is { } status)
                await SendAsync(new() { Status = status });
        }
    }

    private async Task BeatAsync()
    {
        for (ulong sequence = 1; ; sequence++)
        {
            await SendAsync(new() { Heartbeat = new() { Sequence = sequence, SentNanos = (long)sequence } });
            await Task.Delay(500, _ending.Token);
        }
    }
}
