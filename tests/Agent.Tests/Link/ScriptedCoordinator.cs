using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;
using LoadHarness.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Duration = Google.Protobuf.WellKnownTypes.Duration;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>
/// A real gRPC server on a Unix socket that plays the coordinator: welcomes, answers heartbeats, keeps samples, records all.
/// </summary>
internal sealed class ScriptedCoordinator : IAsyncDisposable
{
    /// <summary>What its clock is ahead of the agent's.</summary>
    public const long ClockOffsetNanos = 5_000_000_000_000;

    private readonly string _directory = Directory.CreateTempSubdirectory("lh-link-").FullName;
    private readonly ConcurrentDictionary<Session, bool> _sessions = [];
    private readonly SemaphoreSlim _writing = new(1, 1);
    private WebApplication? _app;
    private volatile bool _stopping;

    public string SocketPath => Path.Combine(_directory, "c.sock");

    /// <summary>On 127.0.0.1, without TLS.</summary>
    public int Port => _app!.Urls.Select(u => new Uri(u)).Single(u => u.Scheme == "http" && u.Port > 0 && u.Host == "127.0.0.1").Port;

    /// <summary>On 127.0.0.1, with TLS; the same after a restart.</summary>
    public int TlsPort { get; private set; }

    /// <summary>Listens with TLS, too, when set.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Over TLS: enrols the key that it comes with.</summary>
    public string JoinToken { get; set; } = "join-me";

    /// <summary>Over TLS: keys that need no token, SHA-256 of the public key.</summary>
    public ConcurrentDictionary<string, bool> EnrolledKeys { get; } = [];

    /// <summary>Over TLS: the key that each Attach showed, and what it sent as `authorization`.</summary>
    public ConcurrentQueue<(string Key, string? Authorization)> Attempts { get; } = [];

    public string CredentialPath => Path.Combine(_directory, "credential");

    public string Credential { get; set; } = "secret";

    public ulong Epoch { get; set; } = 1;

    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Answers Hello with this, when set.</summary>
    public Refusal? Refusal { get; set; }

    public bool AnswersHeartbeats { get; set; } = true;

    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Sent instead of the right answer to a heartbeat, when set.</summary>
    public Func<HeartbeatReply, IEnumerable<HeartbeatReply>>? Distort { get; set; }

    public bool Acknowledges { get; set; } = true;

    /// <summary>Sent as they are instead of the acknowledgement of a sample, when set.</summary>
    public Func<IEnumerable<byte[]>>? SpoiltAcks { get; set; }

    public ConcurrentQueue<Hello> Hellos { get; } = [];

    public ConcurrentQueue<Heartbeat> Heartbeats { get; } = [];

    public ConcurrentQueue<AssignmentStatus> Statuses { get; } = [];

    public ConcurrentQueue<string> Goodbyes { get; } = [];

    public ConcurrentQueue<RouteAnswer> RouteAnswers { get; } = [];

    public ConcurrentQueue<Sample> Samples { get; } = [];

    /// <summary>HTTP/2 connections over which calls came.</summary>
    public ConcurrentDictionary<string, string> Connections { get; } = [];

    public async Task StartAsync()
    {
        File.WriteAllText(CredentialPath, Credential + "\n");
        File.SetUnixFileMode(CredentialPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(SocketPath, o => o.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, o => o.Protocols = HttpProtocols.Http2);
            if (Certificate is { } certificate)
                kestrel.Listen(IPAddress.Loopback, TlsPort, o => UseTls(o, certificate));
        });
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(this);
        _app = builder.Build();
        _app.MapGrpcService<Service>();
        _stopping = false;
        await _app.StartAsync();
        if (Certificate is not null)
            TlsPort = _app.Urls.Select(u => new Uri(u)).Single(u => u.Scheme == "https").Port;
    }

    private static void UseTls(ListenOptions listen, X509Certificate2 certificate)
    {
        listen.Protocols = HttpProtocols.Http2;
        listen.UseHttps(https =>
        {
            https.ServerCertificate = certificate;
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.AllowAnyClientCertificate();
        });
    }

    /// <summary>Sends an assignment over the newest attachment.</summary>
    public Task SendAsync(Assignment assignment) => SendAsync(new AttachResponse { Assignment = assignment });

    /// <summary>Sends anything over the newest attachment.</summary>
    public Task SendAsync(AttachResponse response) => WriteAsync(_sessions.Keys.Single().Responses, response);

    // One at a time, as the stream demands.
    private async Task WriteAsync(IServerStreamWriter<AttachResponse> responses, AttachResponse response)
    {
        await _writing.WaitAsync();
        try
        {
            await responses.WriteAsync(response);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Sends bytes as if they were a message over the newest attachment; false when there is none.</summary>
    public async Task<bool> SendRawAsync(byte[] message)
    {
        // While a new one is there already and the one before has not ended yet, nobody knows which of them is meant.
        if (_sessions.Keys.ToArray() is not [var session])
            return false;
        await _writing.WaitAsync();
        try
        {
            await WriteRawAsync(session.Context, message);
            return true;
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or InvalidOperationException or IOException)
        {
            return false;
        }
        finally
        {
            _writing.Release();
        }
    }

    private static async Task WriteRawAsync(ServerCallContext context, byte[] message)
    {
        var frame = new byte[message.Length + 5];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        await context.GetHttpContext().Response.BodyWriter.WriteAsync(frame, context.CancellationToken);
    }

    /// <summary>Breaks all connections and starts anew, as a coordinator that crashed.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    public async Task StopAsync()
    {
        // Who comes back before nobody listens any more is not noted.
        _stopping = true;
        foreach (var session in _sessions.Keys)
            Abort(session.Context.GetHttpContext());
        using var now = new CancellationTokenSource(0);
        await _app!.StopAsync(now.Token);
        await _app.DisposeAsync();
        _sessions.Clear();
    }

    private static void Abort(HttpContext context)
    {
        try
        {
            context.Abort();
        }
        catch (ObjectDisposedException)
        {
            // The call has ended by itself just now.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _writing.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private sealed record Session(IServerStreamWriter<AttachResponse> Responses, ServerCallContext Context);

    private sealed class Service(ScriptedCoordinator owner) : AgentLink.AgentLinkBase
    {
        public override async Task Attach(
            IAsyncStreamReader<AttachRequest> requests, IServerStreamWriter<AttachResponse> responses, ServerCallContext context)
        {
            Demand(context, "Attach");
            await requests.MoveNext();
            owner.Hellos.Enqueue(requests.Current.Hello);
            if (owner.Refusal is { } refusal)
            {
                await responses.WriteAsync(new AttachResponse { Refusal = refusal });
                return;
            }

            await responses.WriteAsync(Welcome());
            var session = new Session(responses, context);
            owner._sessions[session] = true;
            try
            {
                while (await requests.MoveNext())
                    await TakeAsync(requests.Current, responses);
            }
            finally
            {
                owner._sessions.TryRemove(session, out _);
            }
        }

        public override async Task Upload(
            IAsyncStreamReader<UploadRequest> requests, IServerStreamWriter<UploadResponse> responses, ServerCallContext context)
        {
            Demand(context, "Upload");
            await requests.MoveNext();
            Assert.That(requests.Current.Hello.SessionId, Is.EqualTo("session"));
            while (await requests.MoveNext())
            {
                owner.Samples.Enqueue(requests.Current.Sample);
                foreach (var spoilt in owner.SpoiltAcks?.Invoke() ?? [])
                    await WriteRawAsync(context, spoilt);
                if (owner.Acknowledges && owner.SpoiltAcks is null)
                    await responses.WriteAsync(new UploadResponse { Ack = new() { Sequence = requests.Current.Sample.Sequence } });
            }
        }

        private AttachResponse Welcome() => new()
        {
            Welcome = new()
            {
                SessionId = "session",
                HeartbeatInterval = Duration.FromTimeSpan(owner.HeartbeatInterval),
                Lease = Duration.FromTimeSpan(owner.Lease),
                StoreId = "store",
                Epoch = owner.Epoch,
                Version = Protocol.Version,
            },
        };

        private async Task TakeAsync(AttachRequest request, IServerStreamWriter<AttachResponse> responses)
        {
            if (request.Heartbeat is { } heartbeat)
            {
                owner.Heartbeats.Enqueue(heartbeat);
                if (owner.AnswersHeartbeats)
                {
                    var now = Clock.BoottimeNanos + ClockOffsetNanos;
                    var reply = new HeartbeatReply { Sequence = heartbeat.Sequence, SentNanos = heartbeat.SentNanos, CoordinatorNanos = now };
                    foreach (var sent in owner.Distort?.Invoke(reply) ?? [reply])
                        await owner.WriteAsync(responses, new AttachResponse { HeartbeatReply = sent });
                }
            }

            if (request.Status is { } status)
                owner.Statuses.Enqueue(status);
            if (request.RouteAnswer is { } answer)
                owner.RouteAnswers.Enqueue(answer);
            if (request.Goodbye is { } goodbye)
                owner.Goodbyes.Enqueue(goodbye.Reason);
        }

        private void Demand(ServerCallContext context, string call)
        {
            if (owner._stopping)
                throw new RpcException(new Status(StatusCode.Unavailable, "going away"));
            owner.Connections[call] = context.GetHttpContext().Connection.Id;
            var authorization = context.RequestHeaders.GetValue("authorization");
            if (context.GetHttpContext().Connection.ClientCertificate is { } certificate)
                DemandKey(call, Convert.ToHexString(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo())), authorization);
            else if (authorization != $"Bearer {owner.Credential}")
                throw new RpcException(new Status(StatusCode.Unauthenticated, "wrong credential"));
        }

        private void DemandKey(string call, string key, string? authorization)
        {
            if (call == "Attach")
                owner.Attempts.Enqueue((key, authorization));
            if (authorization == $"Bearer {owner.JoinToken}")
                owner.EnrolledKeys[key] = true;
            if (!owner.EnrolledKeys.ContainsKey(key))
                throw new RpcException(new Status(StatusCode.Unauthenticated, "this key is not known"));
        }
    }
}
