using System.Collections.Concurrent;
using LoadHarness.Coordinator.Interop;
using Microsoft.Data.Sqlite;

namespace LoadHarness.Coordinator.Store;

/// <summary>
/// The one thread that writes. It takes what is queued, commits it together and reports; what is queued while it waits for the disk
/// is the next group. So a quiet coordinator stores at once, and a busy one pays for one commit and not for each row.
/// </summary>
internal sealed partial class StoreWriter : IDisposable
{
    /// <summary>Rows of the largest group.</summary>
    public const int MostTogether = 1000;

    /// <summary>Rows that may wait; more are refused. Only a store that cannot write lets so many come together.</summary>
    public const int MostWaiting = 200_000;

    private static readonly TimeSpan _retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _look = TimeSpan.FromSeconds(1);

    private readonly BlockingCollection<StoreWrite> _queue = new(new ConcurrentQueue<StoreWrite>());
    private readonly ManualResetEventSlim _closing = new();
    private readonly StoreCommands _commands;
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private readonly ulong? _inode;
    private volatile string? _problem;
    private volatile string? _taken;
    private long _lookedNanos;
    private int _waiting;
    private int _disposed;

    /// <summary>Starts the thread.</summary>
    /// <param name="connection">Owned from now on.</param>
    /// <param name="path">For messages.</param>
    /// <param name="time">What the record says.</param>
    /// <param name="log">For events.</param>
    public StoreWriter(SqliteConnection connection, string path, TimeProvider time, ILogger log)
    {
        (_commands, _path, _time, _log) = (new StoreCommands(connection), path, time, log);
        _inode = FileOwner.InodeOf(path);
        _thread = new Thread(Run) { Name = "store writer", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Why nothing can be written now; null while it can.</summary>
    public string? Problem => _problem ?? _taken;

    /// <summary>Rows that are queued or being written.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Queues a write.</summary>
    public void Enqueue(StoreWrite write)
    {
        if (_queue.Count >= MostWaiting)
        {
            write.Complete(new(new StoreException($"{MostWaiting} rows wait to be written already: {_problem ?? "the disk is too slow"}")));
            return;
        }

        Interlocked.Increment(ref _waiting);
        try
        {
            _queue.Add(write);
        }
        catch (InvalidOperationException)
        {
            Interlocked.Decrement(ref _waiting);
            write.Complete(new(new StoreException($"the store {_path} is closed")));
        }
    }

    /// <summary>Queues a write.</summary>
    /// <returns>Completes when it is stored; fails with <see cref="StoreException"/>.</returns>
    public Task EnqueueAsync(Action<StoreCommands> apply)
    {
        var stored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(new StoreWrite(apply, outcome =>
        {
            if (outcome.Problem is { } problem)
                stored.TrySetException(problem);
            else
                stored.TrySetResult();
        }));
        return stored.Task;
    }

    /// <summary>Writes what is queued, and ends. Blocks; a store that cannot write is not waited for.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _closing.Set();
        _queue.CompleteAdding();
        _thread.Join();
        // The queue stays, to refuse whatever comes too late.
        _commands.Dispose();
        _closing.Dispose();
    }

    private void Run()
    {
        var group = new List<StoreWrite>();
        while (!_queue.IsCompleted)
        {
            LookAfterFile();
            if (!_queue.TryTake(out var first, _look))
                continue;
            group.Add(first);
            while (group.Count < MostTogether && _queue.TryTake(out var next))
                group.Add(next);
            Write(group);
            Interlocked.Add(ref _waiting, -group.Count);
            group.Clear();
        }
    }

    // An open file stays writable when its name is gone: without a look nobody would know before the next start.
    private void LookAfterFile()
    {
        var now = StoreClock.Nanos(TimeProvider.System);
        if (now - _lookedNanos < _look.Ticks * TimeSpan.NanosecondsPerTick)
            return;
        _lookedNanos = now;
        var present = FileOwner.InodeOf(_path);
        var taken = present == _inode
            ? null
            : $"{_path} was {(present is null ? "deleted" : "replaced")} while it was in use, and what is written from now on is lost when the coordinator ends; "
                + "end its runs and start it again, with the file put back";
        if (taken is not null && _taken is null)
            LogTaken(_log, taken);
        _taken = taken;
    }

    private void Write(List<StoreWrite> group)
    {
        while (true)
        {
            try
            {
                Commit(group);
                if (_problem is not null)
                    LogCanWrite(_log, _path);
                _problem = null;
                group.ForEach(w => w.Complete(WriteOutcome.Stored));
                return;
            }
            catch (SqliteException e) when (SqliteCode.MayPass(e.SqliteErrorCode))
            {
                RollBack();
                if (!WaitForBetterTimes(group, StoreFile.Explain(e, _path)))
                    return;
            }
            catch (Exception) when (group.Count > 1)
            {
                // One of them is at fault: each for itself, so that the others are not lost with it.
                RollBack();
                group.ForEach(w => Write([w]));
                return;
            }
            catch (Exception e)
            {
                RollBack();
                LogRefused(_log, e, _path);
                group[0].Complete(new(new StoreException($"the store {_path} refuses a row: {e.Message}", e)));
                return;
            }
        }
    }

    private void Commit(List<StoreWrite> group)
    {
        _commands.Execute("BEGIN IMMEDIATE");
        foreach (var write in group)
            write.Apply(_commands);
        _commands.Execute(
            "UPDATE meta SET written_at = $1, written_nanos = $2, boot_id = $3",
            _time.GetUtcNow().ToUnixTimeMilliseconds(), StoreClock.Nanos(_time), BootId.Present);
        _commands.Execute("COMMIT");
    }

    private void RollBack()
    {
        try
        {
            _commands.Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // SQLite has rolled back by itself.
        }
    }

    /// <returns>False: there is no time left to wait in.</returns>
    private bool WaitForBetterTimes(List<StoreWrite> group, string problem)
    {
        if (_problem is null)
            LogCannotWrite(_log, _path, problem);
        _problem = problem;
        var outcome = new WriteOutcome(new StoreException($"the store cannot be written: {problem}"));
        foreach (var write in group.Concat(_queue).Where(w => w.CannotWait))
            write.Complete(outcome);
        if (!_closing.Wait(_retry))
            return true;
        LogLeft(_log, _path, group.Count + _queue.Count, problem);
        group.ForEach(w => w.Complete(outcome));
        return false;
    }
}
