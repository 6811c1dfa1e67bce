using System.Runtime.CompilerServices;
using LoadHarness.Coordinator.Verdicts;
using Polly;
using Polly.Retry;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Follows a run of a coordinator elsewhere, over broken connections and restarts: the run itself goes on all the while.</summary>
/// <param name="coordinator">Where the run is.</param>
/// <param name="client">Its client.</param>
/// <param name="notes">Told when the coordinator does not answer.</param>
/// <param name="context">Patience and time.</param>
internal sealed class LastingWatch(RemoteCoordinator coordinator, ControlClient client, RunNotes notes, CliContext context)
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(5);

    /// <summary>The present state, then each change, until the run has ended.</summary>
    /// <exception cref="CliException">The coordinator has not answered for too long; the message says how to go on.</exception>
    public async IAsyncEnumerable<RunView> FollowAsync(string runId, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var updates = new Updates(client, runId);
        for (var ended = false; !ended;)
        {
            var next = await NextAsync(updates, runId, cancel);
            yield return next;
            ended = next.HasEnded;
        }
    }

    private async Task<RunView> NextAsync(Updates updates, string runId, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        CliException? broken = null;
        try
        {
            var next = await Pipeline(e =>
            {
                if (broken is null)
                {
                    notes.Add($"{coordinator.Url} does not answer; trying again, and the run goes on");
                    patience.CancelAfter(context.Patience);
                }

                broken = e;
            }).ExecuteAsync(async token => await updates.NextAsync(token), patience.Token);
            if (broken is not null)
                notes.Add($"{coordinator.Url} answers again");
            return next;
        }
        catch (OperationCanceledException) when (broken is not null && !cancel.IsCancellationRequested)
        {
            throw new CliException(
                ExitCode.Unreachable,
                $"{broken.Message} ({context.Patience.TotalSeconds:0} s by now); the run goes on by itself; "
                + $"go on with it: {coordinator.Command("watch", runId)}",
                broken);
        }
    }

    private ResiliencePipeline Pipeline(Action<CliException> retrying) => new ResiliencePipelineBuilder { TimeProvider = context.Time }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<CliException>(e => e.MayPass),
            MaxRetryAttempts = int.MaxValue,
            Delay = _firstPause,
            MaxDelay = _longestPause,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            OnRetry = arguments =>
            {
                retrying((CliException)arguments.Outcome.Exception!);
                return default;
            },
        })
        .Build();

    /// <summary>A watch that is begun again when it has broken.</summary>
    private sealed class Updates(ControlClient client, string runId) : IAsyncDisposable
    {
        private IAsyncEnumerator<RunView>? _stream;
        private CancellationTokenSource? _cancel;

        public async ValueTask<RunView> NextAsync(CancellationToken cancel)
        {
            _cancel ??= new CancellationTokenSource();
            _stream ??= client.WatchRunAsync(runId, _cancel.Token).GetAsyncEnumerator(CancellationToken.None);
            // A call lasts longer than the patience for its next message.
            await using var giveUp = cancel.Register(_cancel.Cancel);
            try
            {
                if (await _stream.MoveNextAsync())
                    return _stream.Current;
                throw new CliException(ExitCode.Unreachable, "the coordinator ended the watch before the run has ended") { MayPass = true };
            }
            catch
            {
                await DisposeAsync();
                throw;
            }
        }

        public async ValueTask DisposeAsync()
        {
            if (_stream is { } stream)
                await stream.DisposeAsync();
            // Not disposed: it has no timer, and whoever cancels it late must not fail.
            (_stream, _cancel) = (null, null);
        }
    }
}
