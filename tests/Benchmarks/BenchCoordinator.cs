using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LoadHarness.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Benchmarks;

/// <summary>
/// The least coordinator that a real agent can work for: it hands out assignments and collects samples. Measuring through it
/// leaves planning and aggregation out of the figures.
/// </summary>
internal sealed class BenchCoordinator : AgentLink.AgentLinkBase, IAsyncDisposable
{
    private readonly Channel<AttachResponse> _toAgent = Channel.CreateUnbounded<AttachResponse>();
    private readonly Channel<AssignmentStatus> _statuses = Channel.CreateUnbounded<AssignmentStatus>();
    private readonly Channel<Sample> _samples = Channel.CreateUnbounded<Sample>();
    private readonly WebApplication _app;
    private ulong _revision;

    private BenchCoordinator(WebApplication app) => _app = app;

    /// <summary>What the agent said of its host; set once it is attached.</summary>
    public TaskCompletionSource<Hello> Attached { get; } = new();

    private static long NowNanos => (long)(System.Diagnostics.Stopwatch.GetTimestamp() * (1e9 / System.Diagnostics.Stopwatch.Frequency));

    /// <summary>Listens on a Unix socket.</summary>
    public static async Task<BenchCoordinator> StartAsync(string socketPath)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.ListenUnixSocket(socketPath, l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        BenchCoordinator? coordinator = null;
        builder.Services.AddSingleton(_ => coordinator!);
        var app = builder.Build();
        app.MapGrpcService<BenchCoordinator>();
        coordinator = new BenchCoordinator(app);
        await app.StartAsync();
        return coordinator;
    }

    /// <summary>Sends the assignment with the next revision.</summary>
    public void Assign(Assignment assignment, Phase phase)
    {
        var next = assignment.Clone();
        next.Revision = new Revision { Epoch = 1, Number = ++_revision };
        next.Phase = phase;
        if (phase != Phase.Prepared)
            next.StartNanos = NowNanos;
        _toAgent.Writer.TryWrite(new AttachResponse { Assignment = next });
    }

    /// <summary>Waits until the agent says that it has reached a phase.</summary>
    /// <exception cref="InvalidOperationException">It refused.</exception>
    public async Task ReachedAsync(Phase phase)
    {
        while (true)
        {
            var status = await _statuses.Reader.ReadAsync();
            if (status.Refused is { } refused)
                throw new InvalidOperationException($"refused: {refused.Field}: {refused.Message}");
            if (status.Revision.Number == _revision && status.Phase == phase)
                return;
        }
    }

    /// <summary>The next sample.</summary>
    public async Task<Sample> NextSampleAsync() => await _samples.Reader.ReadAsync();

    /// <inheritdoc/>
    public override async Task Attach(IAsyncStreamReader<AttachRequest> requests, IServerStreamWriter<AttachResponse> responses, ServerCallContext context)
    {
        var sending = SendAsync(responses, context.CancellationToken);
        await foreach (var request in requests.ReadAllAsync(context.CancellationToken))
        {
            switch (request.MessageCase)
            {
                case AttachRequest.MessageOneofCase.Hello:
                    _toAgent.Writer.TryWrite(new AttachResponse { Welcome = Welcome() });
                    Attached.TrySetResult(request.Hello);
                    break;
                case AttachRequest.MessageOneofCase.Heartbeat:
                    _toAgent.Writer.TryWrite(new AttachResponse { HeartbeatReply = Reply(request.Heartbeat) });
                    break;
                case AttachRequest.MessageOneofCase.Status:
                    _statuses.Writer.TryWrite(request.Status);
                    break;
            }
        }

        _toAgent.Writer.TryComplete();
        await sending;
    }

    /// <inheritdoc/>
    public override async Task Upload(IAsyncStreamReader<UploadRequest> requests, IServerStreamWriter<UploadResponse> responses, ServerCallContext context)
    {
        await foreach (var request in requests.ReadAllAsync(context.CancellationToken))
        {
            if (request.Sample is not { } sample)
                continue;
            _samples.Writer.TryWrite(sample);
            await responses.WriteAsync(new UploadResponse { Ack = new SampleAck { Sequence = sample.Sequence } });
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }

    private static Welcome Welcome() => new()
    {
        SessionId = "bench",
        HeartbeatInterval = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
        Lease = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
        StoreId = "bench",
        Epoch = 1,
        Version = new ProtocolVersion { Major = 1 },
    };

    private static HeartbeatReply Reply(Heartbeat heartbeat) =>
        new() { Sequence = heartbeat.Sequence, SentNanos = heartbeat.SentNanos, CoordinatorNanos = NowNanos };

    private async Task SendAsync(IServerStreamWriter<AttachResponse> responses, CancellationToken cancel)
    {
        try
        {
            await foreach (var response in _toAgent.Reader.ReadAllAsync(cancel))
                await responses.WriteAsync(response, cancel);
        }
        catch (OperationCanceledException)
        {
            // The agent has left.
        }
    }
}
