using System.Collections.Concurrent;
using Grpc.Core;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.V1;
using AssignmentStatus = LoadHarness.Agent.Assignments.AssignmentStatus;

namespace LoadHarness.Agent.Link;

/// <summary>
/// Writes everything that goes out over Attach after Hello: heartbeats, statuses, Goodbye. On a thread of its own, so that
/// whatever else this process does, heartbeats are made on time; and one writer alone, as the stream demands.
/// </summary>
internal sealed class AttachWriter
{
    private const long NanosPerMilli = 1_000_000;

    // The first heartbeats come faster: nothing is PREPARED before the clock is known, and the shortest of several round trips says most.
    private const int QuickHeartbeats = 4;
    private const long QuickIntervalNanos = 50 * NanosPerMilli;
    private const long StatusIntervalNanos = 2_000 * NanosPerMilli;

    // A coordinator that asks and does not read gets no more than these.
    private const int MostAnswers = 4;

    private readonly IClientStreamWriter<AttachRequest> _stream;
    private readonly long _intervalNanos;
    private readonly Func<AssignmentStatus?> _status;
    private readonly AutoResetEvent _wake = new(false);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private readonly ConcurrentQueue<AttachRequest> _answers = [];
    private readonly HeartbeatLedger _ledger = new();
    private volatile bool _statusIsNew = true;
    private volatile string? _goodbye;
    private volatile bool _stopped;
    private ulong _heartbeats;
    private long _heartbeatDue;
    private long _statusDue;

    /// <summary>Prepares the thread.</summary>
    /// <param name="stream">After Hello was written to it.</param>
    /// <param name="interval">Between heartbeats.</param>
    /// <param name="status">Gives the present status; null when there is none to send.</param>
    public AttachWriter(IClientStreamWriter<AttachRequest> stream, TimeSpan interval, Func<AssignmentStatus?> status)
    {
        (_stream, _intervalNanos, _status) = (stream, interval.Ticks * TimeSpan.NanosecondsPerTick, status);
        _thread = new Thread(Run) { IsBackground = true, Name = "link-heartbeat" };
    }

    /// <summary>Completes when the thread has ended: with a failure when the stream broke.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Starts writing.</summary>
    public void Start() => _thread.Start();

    /// <summary>The status has changed: send it now.</summary>
    public void SendStatus()
    {
        _statusIsNew = true;
        Wake();
    }

    /// <summary>Whether this is the first answer to a heartbeat that was sent.</summary>
    public bool IsAnswer(HeartbeatReply reply) => _ledger.TryAnswer(reply.Sequence, reply.SentNanos);

    /// <summary>Sends the answer to a query; of several that wait the newest.</summary>
    public void SendAnswer(AttachRequest answer)
    {
        _answers.Enqueue(answer);
        while (_answers.Count > MostAnswers)
            _answers.TryDequeue(out _);
        Wake();
    }

    /// <summary>Sends the last status and Goodbye, and ends.</summary>
    public void SayGoodbye(string reason)
    {
        _goodbye = reason;
        Wake();
    }

    /// <summary>Ends without a word.</summary>
    public void Stop()
    {
        _stopped = true;
        Wake();
    }

    // The event is left to its finalizer: a late call must still find it.
    private void Wake() => _wake.Set();

    private void Run()
    {
        try
        {
            _heartbeatDue = _statusDue = Clock.MonotonicNanos;
            while (!_stopped && _goodbye is null)
            {
                WriteWhatIsDue();
                var wait = Math.Min(_heartbeatDue, _statusDue) - Clock.MonotonicNanos;
                _wake.WaitOne((int)Math.Clamp(wait / NanosPerMilli, 1, 60_000));
            }

            if (_goodbye is { } reason)
                WriteGoodbye(reason);
            _ended.SetResult();
        }
        catch (Exception e)
        {
            _ended.SetException(e);
        }
    }

    private void WriteWhatIsDue()
    {
        var now = Clock.MonotonicNanos;
        if (now >= _heartbeatDue)
        {
            var sent = Clock.BoottimeNanos;
            _ledger.Add(++_heartbeats, sent);
            Write(WireTranslation.ToHeartbeat(_heartbeats, sent));
            // From now and not from when it was due: those that were missed help nobody.
            _heartbeatDue = now + (_heartbeats < QuickHeartbeats ? Math.Min(QuickIntervalNanos, _intervalNanos) : _intervalNanos);
        }

        if (_statusIsNew || now >= _statusDue)
        {
            _statusIsNew = false;
            _statusDue = now + StatusIntervalNanos;
            WriteStatus();
        }

        while (_answers.TryDequeue(out var answer))
            Write(answer);
    }

    private void WriteStatus()
    {
        if (_status() is { } status)
            Write(WireTranslation.ToStatus(status));
    }

    private void WriteGoodbye(string reason)
    {
        WriteStatus();
        Write(WireTranslation.ToGoodbye(reason));
        _stream.CompleteAsync().GetAwaiter().GetResult();
    }

    private void Write(AttachRequest message) => _stream.WriteAsync(message).GetAwaiter().GetResult();
}
