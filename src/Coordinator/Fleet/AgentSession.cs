using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>One attachment of an agent. What goes out lies in slots of one item each, the newest replacing the older:
/// a peer that reads slowly costs nothing and delays nobody.</summary>
public sealed class AgentSession(string id, AgentHello hello, CoordinatorClock clock, string? keyFingerprint = null)
{
    private readonly Lock _lock = new();
    // Never disposed: it has no wait handle to give back, and whoever wakes it late must not fail.
    private readonly SemaphoreSlim _waiting = new(0, 1);
    private TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastHeardNanos = clock.Nanos;
    private HeartbeatEcho? _echo;
    private readonly QuestionSlot<RouteReply> _route = new();
    private readonly QuestionSlot<ImmutableArray<HostCheck>> _check = new();
    private AgentAssignment? _assignment;
    private CancellationTokenSource? _upload;
    private string? _ended;

    /// <summary>Names this attachment.</summary>
    public string Id => id;

    /// <summary>The key that it attached with, as in <see cref="Security.AgentKey.Fingerprint"/>; null: it came with the local credential.</summary>
    public string? KeyFingerprint => keyFingerprint;

    /// <summary>How the agent introduced itself.</summary>
    public AgentHello Hello => hello;

    /// <summary>When the newest heartbeat came, on the coordinator's clock.</summary>
    public long LastHeardNanos => Interlocked.Read(ref _lastHeardNanos);

    /// <summary>Completes with the next heartbeat, or when the session ends.</summary>
    public Task NextHeartbeat
    {
        get
        {
            lock (_lock)
                return _heard.Task;
        }
    }

    /// <summary>Takes a heartbeat and readies its reply, before anything else that waits to be sent.</summary>
    public void TakeHeartbeat(ulong sequence, long sentNanos)
    {
        Interlocked.Exchange(ref _lastHeardNanos, clock.Nanos);
        TaskCompletionSource heard;
        lock (_lock)
        {
            _echo = new(sequence, sentNanos);
            (heard, _heard) = (_heard, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        heard.TrySetResult();
        Wake();
    }

    /// <summary>Readies an assignment to be sent; one that was not sent yet is replaced, for only the newest counts.</summary>
    public void Offer(AgentAssignment assignment)
    {
        lock (_lock)
            _assignment = assignment;
        Wake();
    }

    /// <summary>Asks the agent what names mean on its host and how it reaches addresses. Whoever asked before is waited for.</summary>
    /// <param name="question">What is to be known.</param>
    /// <param name="patience">How long it may take, from its turn on.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The answer; cancelled when the attachment ends.</returns>
    /// <exception cref="TimeoutException">None came in time.</exception>
    public Task<RouteReply> AskAsync(RouteQuestion question, TimeSpan patience, CancellationToken cancel) =>
        AskAsync(_route, id => new NumberedQuestion(id, question), patience, cancel);

    /// <summary>Takes an answer. One to a question that nobody waits for any more is passed over.</summary>
    public void TakeReply(ulong id, RouteReply reply)
    {
        lock (_lock)
            _route.Answer(id, reply);
    }

    /// <summary>Asks the agent how its host stands. Whoever asked before is waited for.</summary>
    /// <returns>The answer; cancelled when the attachment ends.</returns>
    public Task<ImmutableArray<HostCheck>> CheckAsync(HostNeed? need, CancellationToken cancel) =>
        AskAsync(_check, id => new CheckQuestion(id, need), Timeout.InfiniteTimeSpan, cancel);

    /// <summary>Takes what the agent says of its host. An answer that nobody waits for any more is passed over.</summary>
    public void TakeChecks(ulong id, ImmutableArray<HostCheck> checks)
    {
        lock (_lock)
            _check.Answer(id, checks);
    }

    /// <summary>An upload begins; one that goes on already ends, for each has room of its own for samples.</summary>
    /// <returns>Cancelled when another one begins.</returns>
    public CancellationToken BeginUpload()
    {
        var upload = new CancellationTokenSource();
        Interlocked.Exchange(ref _upload, upload)?.Cancel();
        return upload.Token;
    }

    /// <summary>Ends the attachment: <see cref="NextAsync"/> returns null from now on.</summary>
    /// <param name="reason">For the log.</param>
    public void End(string reason)
    {
        lock (_lock)
        {
            _ended ??= reason;
            _route.Cancel();
            _check.Cancel();
            _heard.TrySetResult();
        }

        Wake();
    }

    /// <summary>Why it ended; null while it goes on.</summary>
    public string? Ended
    {
        get
        {
            lock (_lock)
                return _ended;
        }
    }

    /// <summary>Waits for the next thing to send. One caller at a time.</summary>
    /// <returns>
    /// A <see cref="HeartbeatEcho"/> first, else a <see cref="NumberedQuestion"/> or a <see cref="CheckQuestion"/>, else an <see cref="AgentAssignment"/>; null at the end.
    /// </returns>
    public async ValueTask<object?> NextAsync(CancellationToken cancel)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_ended is not null)
                    return null;
                if (_echo is { } echo)
                {
                    _echo = null;
                    return echo;
                }

                if ((_route.Take() ?? _check.Take()) is { } question)
                    return question;
                if (_assignment is { } assignment)
                {
                    _assignment = null;
                    return assignment;
                }
            }

            await _waiting.WaitAsync(cancel);
        }
    }

    // One question of a kind at a time: nobody's takes the place of another's.
    private async Task<TAnswer> AskAsync<TAnswer>(
        QuestionSlot<TAnswer> slot, Func<ulong, object> make, TimeSpan patience, CancellationToken cancel)
    {
        await slot.Turn.WaitAsync(cancel);
        try
        {
            return await Ask(slot, make).WaitAsync(patience, clock.Time, cancel);
        }
        finally
        {
            slot.Turn.Release();
        }
    }

    private Task<TAnswer> Ask<TAnswer>(QuestionSlot<TAnswer> slot, Func<ulong, object> make)
    {
        Task<TAnswer> answer;
        lock (_lock)
        {
            answer = slot.Ask(make);
            if (_ended is not null)
                slot.Cancel();
        }

        Wake();
        return answer;
    }

    private void Wake()
    {
        // One permit is enough: the waiter looks at every slot. A release too many says that it is awake already.
        lock (_lock)
        {
            if (_waiting.CurrentCount == 0)
                _waiting.Release();
        }
    }
}

/// <summary>A heartbeat that wants its reply.</summary>
public sealed record HeartbeatEcho(ulong Sequence, long SentNanos);
