using Grpc.Core;
using LoadHarness.V1;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Agent.Link;

/// <summary>Moves samples from the outbox to the coordinator, for as long as one attachment lasts.</summary>
internal sealed class SampleUploader(LinkDialer dialer, LinkOptions options, SampleOutbox outbox, ILogger log)
{
    private volatile bool _acknowledged;

    /// <summary>Uploads until cancelled; a call that breaks is made again.</summary>
    public async Task RunAsync(string sessionId, CancellationToken cancel)
    {
        using var channel = dialer.OpenChannel();
        var client = new V1.AgentLink.AgentLinkClient(channel);
        var failures = 0;
        while (!cancel.IsCancellationRequested)
        {
            _acknowledged = false;
            try
            {
                using var call = client.Upload(dialer.Headers(), cancellationToken: cancel);
                await UploadAsync(call, sessionId, cancel).ConfigureAwait(false);
            }
            catch (Exception e) when (e is RpcException or InvalidOperationException or IOException or LinkRefusedException)
            {
                if (!cancel.IsCancellationRequested)
                    AgentLink.LogUploadBroken(log, LinkFailure.Describe(e));
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }

            // A call that worked for a while says nothing against the next one.
            failures = _acknowledged ? 0 : failures + 1;
            await Task.Delay(Backoff.FullJitter(failures), cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Uploads over one call, until that breaks or the other side ends it.</summary>
    internal async Task UploadAsync(AsyncDuplexStreamingCall<UploadRequest, UploadResponse> call, string sessionId, CancellationToken cancel)
    {
        await call.RequestStream.WriteAsync(WireTranslation.ToUploadHello(options, sessionId), cancel).ConfigureAwait(false);
        outbox.Rewind();
        var acknowledging = AcknowledgeAsync(call.ResponseStream, cancel);
        while (!acknowledging.IsCompleted)
        {
            var changed = outbox.Changed;
            while (outbox.TryTake(out var sample))
                await call.RequestStream.WriteAsync(WireTranslation.ToMessage(sample), cancel).ConfigureAwait(false);
            await Task.WhenAny(changed, acknowledging).ConfigureAwait(false);
        }

        await acknowledging.ConfigureAwait(false);
    }

    private async Task AcknowledgeAsync(IAsyncStreamReader<UploadResponse> responses, CancellationToken cancel)
    {
        while (await responses.MoveNext(cancel).ConfigureAwait(false))
        {
            if (responses.Current.Ack is not { } ack)
                continue;
            _acknowledged = true;
            outbox.Acknowledge(ack.Sequence);
        }
    }
}
