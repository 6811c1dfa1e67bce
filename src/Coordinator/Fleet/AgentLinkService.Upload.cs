using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using LoadHarness.Coordinator.Security;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

/// <content>Samples: taken, kept, acknowledged.</content>
public sealed partial class AgentLinkService
{
    /// <summary>Samples of one upload that may wait to be stored; more are left in the connection.</summary>
    private const int MostUnstored = 256;

    /// <inheritdoc/>
    public override async Task Upload(
        IAsyncStreamReader<UploadRequest> requests, IServerStreamWriter<UploadResponse> responses, ServerCallContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, registry.Closing);
        try
        {
            await UploadAsync(AccessGate.CallerOf(context.GetHttpContext()), requests, responses, either.Token);
        }
        catch (OperationCanceledException) when (registry.Closing.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the coordinator is ending"));
        }
        catch (WireException e)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, e.Message));
        }
    }

    private async Task UploadAsync(
        Caller caller,
        IAsyncStreamReader<UploadRequest> requests,
        IServerStreamWriter<UploadResponse> responses,
        CancellationToken cancel)
    {
        if (!await requests.MoveNext(cancel) || requests.Current.Hello is not { } hello)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "the first message of Upload must be UploadHello"));
        var session = registry.FindSession(hello.AgentId, hello.Incarnation, hello.SessionId)
            ?? throw new RpcException(new Status(
                StatusCode.FailedPrecondition, "no such session; attach first, then upload with its session id"));
        if (session.KeyFingerprint != (caller as AgentCaller)?.Fingerprint)
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied,
                $"agent `{hello.AgentId}` attached with another key than that of {caller.Name}; upload with the key that attached"));
        }

        if (registry.Find(hello.AgentId) is not { } agent)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"agent `{hello.AgentId}` was forgotten"));
        var replaced = session.BeginUpload();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, replaced);
        var stored = Channel.CreateBounded<Unstored>(MostUnstored);
        var room = new SampleRoom(registry.Options.Allowance.UnstoredBytes);
        var reading = ReadSamplesAsync(agent, session, requests, stored.Writer, room, either.Token);
        var acknowledging = AcknowledgeAsync(stored.Reader, room, responses, either.Token);
        try
        {
            await await Task.WhenAny(reading, acknowledging);
            await acknowledging;
        }
        catch (OperationCanceledException) when (replaced.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Aborted, "another upload of this session has begun"));
        }
        finally
        {
            await either.CancelAsync();
            await Task.WhenAll(reading, acknowledging).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Samples are not waited for one by one: they are stored together, and a store that cannot write holds back those of this agent only.
    private async Task ReadSamplesAsync(
        AgentState agent,
        AgentSession session,
        IAsyncStreamReader<UploadRequest> requests,
        ChannelWriter<Unstored> stored,
        SampleRoom room,
        CancellationToken cancel)
    {
        while (await requests.MoveNext(cancel))
        {
            if (requests.Current.Sample is not { } sample)
                throw Misbehaved(agent, new WireException("upload_request", "after UploadHello only Sample is allowed"));
            // A later process life has taken the identity: what this one still says belongs to nobody's interval.
            if (agent.Hello.Incarnation != session.Hello.Incarnation)
                throw new RpcException(new Status(StatusCode.FailedPrecondition, "a newer process of this agent has attached"));
            if (sample.Sequence == 0)
                throw Misbehaved(agent, new WireException("sample.sequence", "samples are numbered from 1 on"));
            var size = sample.CalculateSize();
            await room.EnterAsync(size, cancel);
            var taken = agent.Intake.TakeAsync(session.Hello.Incarnation, sample.Sequence, () => KeepAsync(sample, agent, session.Hello));
            await stored.WriteAsync(new(taken, size), cancel);
            var allowance = registry.Options.Allowance;
            var wait = agent.Conduct.CountSample(size);
            await SlowDownAsync(agent, wait, $"samples than the {allowance.SamplesPerSecond:0.#} a second of {allowance.SampleBytes:N0} bytes", cancel);
        }

        stored.Complete();
    }

    private static async Task AcknowledgeAsync(
        ChannelReader<Unstored> stored, SampleRoom room, IServerStreamWriter<UploadResponse> responses, CancellationToken cancel)
    {
        await foreach (var next in stored.ReadAllAsync(cancel))
        {
            var kept = await KeptAsync(next.Storing.WaitAsync(cancel));
            room.Leave(next.Bytes);
            // One acknowledgement for all that were stored together.
            while (stored.TryPeek(out var later) && later.Storing.IsCompletedSuccessfully && stored.TryRead(out _))
            {
                kept = later.Storing.Result;
                room.Leave(later.Bytes);
            }

            await responses.WriteAsync(new() { Ack = new() { Sequence = kept } }, cancel);
        }
    }

    private static async Task<ulong> KeptAsync(Task<ulong> storing)
    {
        try
        {
            return await storing;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The agent keeps what is not acknowledged, and sends it again when it has called again.
            throw new RpcException(new Status(StatusCode.Unavailable, $"samples cannot be kept: {e.Message}"));
        }
    }

    // A sample that breaks the contract is acknowledged too: sent again it would be no better, and it would hold up the sound ones.
    private Task KeepAsync(Sample sample, AgentState agent, AgentHello hello)
    {
        if (registry.FindRun(sample.RunId) is not { } run)
            return Task.CompletedTask;
        try
        {
            var translated = WireTranslation.ToSample(sample, hello);
            agent.Conduct.CheckOrder(hello.Incarnation, sample.RunId, sample.Sequence, translated.From);
            var kept = run.KeepAsync(translated, sample.ToByteArray());
            agent.Conduct.Sampled(hello.Incarnation, sample.RunId, sample.Sequence, translated.To);
            return kept;
        }
        catch (WireException e)
        {
            Log(agent, $"sample {sample.Sequence}, {e.Message}");
            run.Note(agent.Id, new(Finding.Types.Severity.Error, e.Field,
                $"sample {sample.Sequence} of agent {agent.Id} was left out, its interval is a gap: {e.Message}"));
            return Task.CompletedTask;
        }
    }

    private readonly record struct Unstored(Task<ulong> Storing, int Bytes);
}
